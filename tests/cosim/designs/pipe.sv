// (a + b) * a through two stages of valid and ready.  LOSE loses a word when both ends stall;
// OPEN adds, before the first word, what is on `a` while it is not valid.
module pipe #(
    parameter bit LOSE = 0,
    parameter bit OPEN = 0
) (
    input logic clk,
    input logic rst,
    input logic in_valid,
    output logic in_ready,
    input logic [7:0] a,
    input logic [7:0] b,
    output logic out_valid,
    input logic out_ready,
    output logic [16:0] y
);
  logic full;
  logic [8:0] sum;
  logic [7:0] kept, seen;
  wire second_moves = !out_valid || out_ready;
  assign in_ready = !full || second_moves || LOSE;
  always_ff @(posedge clk) begin
    seen <= OPEN ? a : 8'd0;
    if (rst) begin
      full <= 0;
      out_valid <= 0;
    end else begin
      if (second_moves) begin
        out_valid <= full;
        y <= sum * kept + {9'd0, seen};
      end
      if (in_ready) begin
        full <= in_valid;
        sum <= a + b;
        kept <= a;
      end
    end
  end
endmodule
