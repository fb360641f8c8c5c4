// ap_fixed<16,6> into ap_fixed<8,4,AP_RND,AP_SAT>: half up, then saturated.  FAULT plants a wrong tie.
module cast #(
    parameter bit FAULT = 0
) (
    input  logic signed [15:0] x,
    output logic signed [ 7:0] y
);
  wire signed [11:0] floor = {{2{x[15]}}, x[15:6]};
  wire tie = x[5:0] == 6'b100000;
  wire signed [11:0] rounded = floor + (x[5] && !(FAULT && tie && x[15]) ? 12'sd1 : 12'sd0);
  assign y = rounded > 12'sd127 ? 8'sd127 : rounded < -12'sd128 ? -8'sd128 : rounded[7:0];
endmodule
