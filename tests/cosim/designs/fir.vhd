-- The same filter as fir.v.
library ieee;
use ieee.std_logic_1164.all;
use ieee.numeric_std.all;

entity Fir is
  generic (WIDTH : positive := 12);
  port (
    ap_clk, ap_rst_n : in std_logic;
    x : in signed(WIDTH - 1 downto 0);
    y : out signed(WIDTH + 5 downto 0)
  );
end entity;

architecture rtl of Fir is
  type taps is array (0 to 2) of signed(WIDTH - 1 downto 0);
  signal line : taps;
  signal now : signed(WIDTH - 1 downto 0);
begin
  process (ap_clk)
  begin
    if rising_edge(ap_clk) then
      if ap_rst_n = '0' then
        now <= (others => '0');
        line <= (others => (others => '0'));
      else
        now <= x;
        line <= now & line(0 to 1);
      end if;
      y <= resize(now * 3 - line(0) * 5 + line(1) * 7 + line(2) * 2, WIDTH + 6);
    end if;
  end process;
end architecture;
