// Four taps over a delay line of ap_fixed<12,2>, exact: y is ap_fixed<18,6>.  Two registers deep.
// LEAVE adds a bit that toggles, which has no reset.
module fir #(
    parameter LEAVE = 0
) (
    input ap_clk,
    input ap_rst_n,
    input signed [11:0] x,
    output reg signed [17:0] y
);
  reg signed [11:0] line[0:2];
  reg signed [11:0] now;
  reg toggle;
  always @(posedge ap_clk) begin
    if (!ap_rst_n) begin
      now <= 0;
      line[0] <= 0;
      line[1] <= 0;
      line[2] <= 0;
    end else begin
      now <= x;
      line[0] <= now;
      line[1] <= line[0];
      line[2] <= line[1];
    end
    toggle <= !toggle;
    y <= now * 3 - line[0] * 5 + line[1] * 7 + line[2] * 2 + (LEAVE && toggle ? 1 : 0);
  end
endmodule
