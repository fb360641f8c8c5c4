-- Replays every group of ap_quantize_groups at once; the generic DIRECTORY is the folder of the words.
--
-- The last line is "PASS n vectors" or "FAIL n of m"; a failure also ends the simulator with an error.
use std.env.all;
use std.textio.all;
use work.ap_quantize_groups.all;

entity ap_quantize_tb is
  generic (DIRECTORY : string := ".");
end entity;

architecture test of ap_quantize_tb is
  type flags is array (natural range <>) of boolean;
  type counts is array (natural range <>) of natural;
  signal done : flags(0 to GROUPS - 1);
  signal checked, failed : counts(0 to GROUPS - 1);
begin

  each : for g in 0 to GROUPS - 1 generate
    check : entity work.ap_quantize_check
      generic map (
        VECTORS => DIRECTORY, GROUP_ID => g, COUNT => TABLE(g)(0),
        SRC_W => TABLE(g)(1), SRC_I => TABLE(g)(2), SRC_S => TABLE(g)(3),
        W => TABLE(g)(4), I => TABLE(g)(5), S => TABLE(g)(6),
        Q => TABLE(g)(7), O => TABLE(g)(8), N => TABLE(g)(9)
      )
      port map (done => done(g), checked => checked(g), failed => failed(g));
  end generate;

  process
    variable total, wrong : natural := 0;
  begin
    wait until done = (done'range => true);
    wait for 1 ns;
    for g in 0 to GROUPS - 1 loop
      total := total + checked(g);
      wrong := wrong + failed(g);
    end loop;
    if wrong = 0 and total = VECTORS and total > 0 then
      write(output, "PASS " & integer'image(total) & " vectors" & LF);
      finish;
    else
      write(output, "FAIL " & integer'image(wrong) & " of " & integer'image(total) & " vectors, "
        & integer'image(VECTORS) & " were to be checked" & LF);
      stop(1);
    end if;
    wait;
  end process;

end architecture;
