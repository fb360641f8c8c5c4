-- One fixed-point value on its way from one ap_[u]fixed type into another: combinational, VHDL-2008.
--
-- The exact value is aligned to the target's LSB, rounded by Q, then brought into range by O and N.
-- Q and O are numbered as the vendor's ap_q_mode and ap_o_mode; Q = 9 is the way into ap_[u]int<W>,
-- with I = W, O = 3 and N = 0.  An ap_[u]int<W> as the source has SRC_I = W.  The result is that of the
-- C++ headers, their departures from the definition included (marked "header" below).
library ieee;
use ieee.std_logic_1164.all;
use ieee.numeric_std.all;

entity ap_quantize is
  generic (
    SRC_W : positive := 16;  -- the source: width, integer bits, 1 if signed
    SRC_I : integer  := 6;
    SRC_S : natural  := 1;
    W     : positive := 8;   -- the target
    I     : integer  := 4;
    S     : natural  := 1;
    Q     : natural  := 5;   -- 0 RND, 1 RND_ZERO, 2 RND_MIN_INF, 3 RND_INF, 4 RND_CONV, 5 TRN, 6 TRN_ZERO, 9 ap_int
    O     : natural  := 3;   -- 0 SAT, 1 SAT_ZERO, 2 SAT_SYM, 3 WRAP, 4 WRAP_SM
    N     : natural  := 0    -- saturated bits of WRAP and WRAP_SM
  );
  port (
    a : in  std_logic_vector(SRC_W - 1 downto 0);
    y : out std_logic_vector(W - 1 downto 0)
  );
end entity;

architecture rtl of ap_quantize is

  -- A longer shift than these changes nothing: to the right only the sign is left, to the left only
  -- whether the value is zero.
  constant SHIFT : integer := (SRC_W - SRC_I) - (W - I);
  constant RIGHT : natural := minimum(maximum(SHIFT, 0), SRC_W + 1);
  constant LEFT  : natural := minimum(maximum(-SHIFT, 0), W + 1);
  -- Room for the aligned value, a carry, and a bit above the target's.
  constant V     : positive := maximum(SRC_W + LEFT, W) + 2;

  function lowest return std_logic_vector is
    variable code : std_logic_vector(W - 1 downto 0) := (others => '0');
  begin
    if S /= 0 then
      code(W - 1) := '1';
    end if;
    return code;
  end function;

  -- The header's opposite of the highest code; of a single bit it is -1.
  function opposite return std_logic_vector is
    variable code : std_logic_vector(W - 1 downto 0) := lowest;
  begin
    code(0) := '1';
    return code;
  end function;

  -- Rounding: what is added to the floor, from the part that is cut off.
  function increment(negative, odd, guard, sticky : std_logic) return std_logic is
  begin
    case Q is
      when 0      => return guard;
      when 1      => return guard and (sticky or negative);
      when 2      => return guard and sticky;
      when 3      => return guard and (sticky or not negative);
      when 4      => return guard and (sticky or odd);
      when 6      => return negative and (guard or sticky);
      when 9 =>  -- The header makes -1 of every negative value of a type without integer bits.
        if SRC_I = 0 then
          return '0';
        end if;
        return negative and (guard or sticky);
      when others => return '0';
    end case;
  end function;

  -- WRAP and WRAP_SM of a code that does not fit; deleted is the lowest bit above it.
  function wrapped(code : std_logic_vector(W - 1 downto 0); negative, deleted : std_logic)
    return std_logic_vector is
    variable result : std_logic_vector(W - 1 downto 0) := code;
    variable invert : std_logic := '0';
  begin
    if O = 4 then
      if N = 0 then
        invert := code(W - 1) xor deleted;
      elsif N = 1 then
        invert := code(W - 1) xor negative;
      else
        invert := code(W - N) xnor negative;
      end if;
      result := code xor (W - 1 downto 0 => invert);
    end if;
    -- The N highest bits: ones in an unsigned type; in a signed one the sign, then its inverse.
    for k in W - N to W - 1 loop
      if S = 0 then
        result(k) := '1';
      elsif k = W - 1 then
        result(k) := negative;
      else
        result(k) := not negative;
      end if;
    end loop;
    return result;
  end function;

begin

  process (all)
    variable negative_source, negative, guard, sticky, fits : std_logic;
    variable exact, floor, rounded : signed(V - 1 downto 0);
    variable code : std_logic_vector(W - 1 downto 0);
  begin
    negative_source := '0';
    if SRC_S /= 0 then
      negative_source := a(SRC_W - 1);
    end if;
    exact := (others => negative_source);
    exact(SRC_W - 1 downto 0) := signed(a);
    exact := shift_left(exact, LEFT);
    floor := shift_right(exact, RIGHT);
    guard := '0';
    sticky := '0';
    if RIGHT > 0 then
      guard := exact(RIGHT - 1);
    end if;
    for k in 0 to RIGHT - 2 loop
      sticky := sticky or exact(k);
    end loop;
    rounded := floor;
    if increment(negative_source, floor(0), guard, sticky) = '1' then
      rounded := floor + 1;
    end if;

    negative := rounded(V - 1);
    code := std_logic_vector(rounded(W - 1 downto 0));
    if S /= 0 then
      fits := not (or (std_logic_vector(rounded(V - 1 downto W - 1)) xor (V - 1 downto W - 1 => negative)));
    else
      fits := not (or std_logic_vector(rounded(V - 1 downto W)));
    end if;

    if O = 2 and S /= 0 and negative = '1' and code = lowest then
      y <= opposite;
    elsif fits = '1' then
      y <= code;
    elsif O = 1 then
      y <= (W - 1 downto 0 => '0');
    elsif O = 3 or O = 4 then
      -- The header takes the deleted bit from the value before rounding.
      y <= wrapped(code, negative, floor(W));
    elsif negative = '0' then
      y <= not lowest;
    elsif O = 2 and S /= 0 then
      y <= opposite;
    else
      y <= lowest;
    end if;
  end process;

end architecture;
