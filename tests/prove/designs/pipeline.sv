// ap_fixed<16,6> into ap_fixed<8,4,AP_RND,AP_SAT> in two stages behind an enable and a reset.
// BYPASS saturates by the sign of the value that comes a step later; GATED waits for `valid`.
module pipeline #(
    parameter bit BYPASS = 0,
    parameter bit GATED = 0
) (
    input logic clk,
    input logic rst_n,
    input logic en,
    input logic valid,
    input logic signed [15:0] x,
    output logic signed [7:0] y
);
  logic signed [11:0] rounded;
  logic negative, late;
  assign negative = BYPASS ? x[15] : late;
  always_ff @(posedge clk or negedge rst_n)
    if (!rst_n) begin
      rounded <= 0;
      late <= 0;
      y <= 0;
    end else if (en && (valid || !GATED)) begin
      rounded <= {{2{x[15]}}, x[15:6]} + x[5];
      late <= x[15];
      if (rounded > 12'sd127 || rounded < -12'sd128) y <= negative ? -8'sd128 : 8'sd127;
      else y <= rounded[7:0];
    end
endmodule
