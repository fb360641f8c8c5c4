// Its input: it is changed by the difference of two ways to square it, which are equal.
module product (input logic [23:0] x, output logic [23:0] y);
  wire [47:0] square = x * 48'(x);
  wire [47:0] high = x[23:12], low = x[11:0];
  wire [47:0] parts = (high * high << 24) + (high * low << 13) + low * low;
  assign y = x ^ square[47:24] ^ parts[47:24];
endmodule
