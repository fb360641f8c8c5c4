// One fixed-point value on its way from one ap_[u]fixed type into another: combinational.
//
// The exact value is aligned to the target's LSB, rounded by Q, then brought into range by O and N.
// Q and O are numbered as the vendor's ap_q_mode and ap_o_mode; Q = 9 is the way into ap_[u]int<W>,
// with I = W, O = 3 and N = 0.  An ap_[u]int<W> as the source has SRC_I = W.  The result is that of the
// C++ headers, their departures from the definition included (marked "header" below).
module ap_quantize #(
    parameter int SRC_W = 16,  // the source: width, integer bits, 1 if signed
    parameter int SRC_I = 6,
    parameter int SRC_S = 1,
    parameter int W = 8,  // the target
    parameter int I = 4,
    parameter int S = 1,
    parameter int Q = 5,  // 0 RND, 1 RND_ZERO, 2 RND_MIN_INF, 3 RND_INF, 4 RND_CONV, 5 TRN, 6 TRN_ZERO, 9 ap_int
    parameter int O = 3,  // 0 SAT, 1 SAT_ZERO, 2 SAT_SYM, 3 WRAP, 4 WRAP_SM
    parameter int N = 0   // saturated bits of WRAP and WRAP_SM
) (
    input  wire [SRC_W-1:0] a,
    output wire [    W-1:0] y
);

  localparam int RND = 0, RND_ZERO = 1, RND_MIN_INF = 2, RND_INF = 3, RND_CONV = 4, TRN_ZERO = 6;
  localparam int INTEGER = 9;
  localparam int SAT = 0, SAT_ZERO = 1, SAT_SYM = 2, WRAP = 3;

  // A longer shift than these changes nothing: to the right only the sign is left, to the left only
  // whether the value is zero.
  localparam int SHIFT = (SRC_W - SRC_I) - (W - I);
  localparam int RIGHT = SHIFT <= 0 ? 0 : SHIFT > SRC_W + 1 ? SRC_W + 1 : SHIFT;
  localparam int LEFT = SHIFT >= 0 ? 0 : -SHIFT > W + 1 ? W + 1 : -SHIFT;
  // Room for the aligned value, a carry, and a bit above the target's.
  localparam int ALIGNED = SRC_W + LEFT > W ? SRC_W + LEFT : W;
  localparam int V = ALIGNED + 2;

  // Rounding.  What is cut off has two zeros below it, so that it is never empty.
  wire negative_source = SRC_S != 0 && a[SRC_W-1];
  wire signed [V-1:0] exact = {{(V - SRC_W) {negative_source}}, a} << LEFT;
  wire signed [V-1:0] floor = exact >>> RIGHT;
  wire [RIGHT+1:0] cut = (RIGHT + 2)'({exact, 2'b00});
  wire guard = cut[RIGHT+1];
  wire sticky = |cut[RIGHT:0];
  wire increment =
      Q == RND         ? guard :
      Q == RND_ZERO    ? guard && (sticky || negative_source) :
      Q == RND_MIN_INF ? guard && sticky :
      Q == RND_INF     ? guard && (sticky || !negative_source) :
      Q == RND_CONV    ? guard && (sticky || floor[0]) :
      Q == TRN_ZERO    ? negative_source && (guard || sticky) :
      // The header makes -1 of every negative value of a type without integer bits.
      Q == INTEGER     ? negative_source && (guard || sticky) && SRC_I != 0 :
                         1'b0;
  wire [V-1:0] rounded = $unsigned(floor) + {{(V - 1) {1'b0}}, increment};

  // Overflow.
  localparam [W-1:0] ONE = {{(W - 1) {1'b0}}, 1'b1};
  localparam [W-1:0] LOWEST = S != 0 ? ONE << (W - 1) : {W{1'b0}};
  localparam [W-1:0] HIGHEST = ~LOWEST;
  // The header's -HIGHEST of a single bit is -1.
  localparam [W-1:0] OPPOSITE = W == 1 ? ONE : LOWEST | ONE;
  localparam [W-1:0] TOP = N == 0 ? {W{1'b0}} : {W{1'b1}} << (W - N);
  localparam int BELOW_TOP = N == 0 ? 0 : W - N;

  wire negative = rounded[V-1];
  wire [W-1:0] code = rounded[W-1:0];
  wire overflow = S != 0 ? (|(rounded[V-1:W-1] ^ {(V - W + 1) {negative}})) : (|rounded[V-1:W]);
  wire [W-1:0] bound = negative ? LOWEST : HIGHEST;
  wire [W-1:0] symmetric = negative ? OPPOSITE : HIGHEST;
  // The N highest bits: ones in an unsigned type; in a signed one the sign, then its inverse.
  wire [W-1:0] top = S == 0 ? TOP : negative ? TOP & LOWEST : TOP & ~LOWEST;
  // Whether WRAP_SM inverts.  With N = 0 the lowest deleted bit becomes the sign; the header takes it
  // from the value before rounding.
  wire invert =
      N == 0 ? code[W-1] ^ floor[W] :
      N == 1 ? code[W-1] ^ negative :
               code[BELOW_TOP] == negative;
  wire [W-1:0] mirrored = code ^ {W{invert}};

  assign y =
      O == SAT_SYM && S != 0 && code == LOWEST && negative ? OPPOSITE :
      !overflow                ? code :
      O == SAT                 ? bound :
      O == SAT_ZERO            ? {W{1'b0}} :
      O == SAT_SYM && S != 0   ? symmetric :
      O == SAT_SYM             ? bound :
      O == WRAP                ? (code & ~TOP) | top :
                                 (mirrored & ~TOP) | top;

endmodule
