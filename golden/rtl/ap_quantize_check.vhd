-- Replays one group of golden vectors on ap_quantize, and counts.
--
-- A memory file has one zero-padded hexadecimal word a line; anything else in it, or another number
-- of lines than COUNT, is a failure.
library ieee;
use ieee.std_logic_1164.all;
use std.textio.all;

entity ap_quantize_check is
  generic (
    VECTORS : string  := ".";
    GROUP_ID : natural := 0;
    COUNT   : natural := 0;
    SRC_W   : positive := 16;
    SRC_I   : integer := 6;
    SRC_S   : natural := 1;
    W       : positive := 8;
    I       : integer := 4;
    S       : natural := 1;
    Q       : natural := 5;
    O       : natural := 3;
    N       : natural := 0
  );
  port (
    done    : out boolean := false;
    checked : out natural := 0;
    failed  : out natural := 0
  );
end entity;

architecture test of ap_quantize_check is

  constant SHOWN : natural := 3;  -- differences printed a group

  signal a : std_logic_vector(SRC_W - 1 downto 0);
  signal y : std_logic_vector(W - 1 downto 0);

  -- The file of a column, such as 0012.expected.mem.
  function path(column : string) return string is
    constant DIGITS : string := integer'image(10000 + GROUP_ID);
  begin
    return VECTORS & "/" & DIGITS(2 to 5) & "." & column & ".mem";
  end function;

  -- The next line as one word; good is false if it is none of this width.
  procedure read_word(file f : text; word : out std_logic_vector; good : out boolean) is
    constant DIGITS : natural := (word'length + 3) / 4;
    variable l : line;
    variable padded : std_logic_vector(4 * DIGITS - 1 downto 0);
    variable valid : boolean;
  begin
    good := false;
    word := (word'range => 'X');
    if endfile(f) then
      return;
    end if;
    readline(f, l);
    if l'length /= DIGITS then
      return;
    end if;
    hread(l, padded, valid);
    if not valid or is_x(padded) then
      return;
    end if;
    for k in padded'high downto word'length loop  -- what stands above the word must be 0
      if padded(k) /= '0' then
        return;
      end if;
    end loop;
    word := padded(word'length - 1 downto 0);
    good := true;
  end procedure;

begin

  dut : entity work.ap_quantize
    generic map (
      SRC_W => SRC_W, SRC_I => SRC_I, SRC_S => SRC_S,
      W => W, I => I, S => S, Q => Q, O => O, N => N
    )
    port map (a => a, y => y);

  process
    file inputs, outputs : text;
    variable input_status, output_status : file_open_status;
    variable input_good, output_good : boolean;
    variable word : std_logic_vector(SRC_W - 1 downto 0);
    variable expected : std_logic_vector(W - 1 downto 0);
    variable wrong, right : natural := 0;

    procedure fail(what : string) is
    begin
      if wrong < SHOWN then
        write(output, "FAIL group " & integer'image(GROUP_ID) & ": " & what & LF);
      end if;
      wrong := wrong + 1;
    end procedure;
  begin
    file_open(input_status, inputs, path("a"), read_mode);
    file_open(output_status, outputs, path("expected"), read_mode);
    if input_status /= open_ok then
      fail("cannot open " & path("a"));
    elsif output_status /= open_ok then
      fail("cannot open " & path("expected"));
    elsif COUNT = 0 then
      fail("no vectors");
    else
      for k in 1 to COUNT loop
        read_word(inputs, word, input_good);
        read_word(outputs, expected, output_good);
        if not (input_good and output_good) then
          fail("line " & integer'image(k) & " of " & path("a") & " or its expected word is not "
            & integer'image(SRC_W) & " and " & integer'image(W) & " bits");
          exit;
        end if;
        a <= word;
        wait for 1 ns;
        if is_x(y) or y /= expected then
          fail("line " & integer'image(k) & ": " & to_hstring(word) & " => " & to_hstring(y)
            & ", expected " & to_hstring(expected));
        end if;
        right := right + 1;
      end loop;
      if wrong = 0 and not (endfile(inputs) and endfile(outputs)) then
        fail(path("a") & " or its expected words have more than " & integer'image(COUNT) & " lines");
      end if;
    end if;
    checked <= right;
    failed <= wrong;
    done <= true;
    wait;
  end process;

end architecture;
