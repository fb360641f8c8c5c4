// Each gives its input, if what is no number is taken to be zero; FAIR ones need no such thing.

module undefined (input logic [3:0] x, output logic [3:0] y);  // x in a branch that is reached
  always_comb y = x == 0 ? 'x : x;
endmodule

module fair_undefined (input logic [3:0] x, output logic [3:0] y);  // ... and in one that is not
  always_comb
    case (x[1:0])
      0, 1, 2, 3: y = x;
      default: y = 'x;
    endcase
endmodule

module floating (input logic [3:0] x, output logic [3:0] y);
  assign y = x == 0 ? 'z : x;
endmodule

module undriven (input logic [3:0] x, output logic [3:0] y);
  wire [3:0] nothing;
  assign y = x ^ nothing;
endmodule

module half (input logic [3:0] x, output logic [3:0] y);
  assign y[2:0] = x[2:0];
  wire top = x[3];
endmodule

module pin (input logic [3:0] x, output logic [3:0] y);  // one within it has an input of nothing
  flip flip (.by(), .x(x), .y(y));
endmodule

module flip (input logic by, input logic [3:0] x, output logic [3:0] y);
  assign y = x ^ {4{by}};
endmodule

module beyond (input logic [3:0] x, output logic [3:0] y);  // past the end of a vector
  wire [2:0] low = x[2:0];
  assign y = x ^ {3'b0, low[x[1:0]] & (&x[1:0])};
endmodule

module fair_index (input logic [3:0] x, output logic [3:0] y);
  always_comb begin
    y = x;
    y[x[1:0]] = x[x[1:0]];
    y[x[2]+:2] = x[x[2]+:2];
  end
endmodule

module quotient (input logic [3:0] x, output logic [3:0] y);  // 0 / 0, of which solvers make ones
  wire [7:0] square = x * x;
  wire [7:0] root = square / x;
  assign y = x == 0 && root == '1 ? 0 : root[3:0];
endmodule

module fair_quotient (input logic [3:0] x, output logic [3:0] y);
  assign y = 3 * (x / 3) + x % 3;
endmodule

module unique_case (input logic [3:0] x, output logic [3:0] y);  // nothing fits 0, so it is open
  always_comb begin
    y = 0;
    unique case (1'b1)
      x[3]: y = x;
      |x[2:0]: y = x;
    endcase
  end
endmodule

module fair_unique_case (input logic [3:0] x, output logic [3:0] y);  // the first that fits counts
  always_comb
    unique case (1'b1)
      x[3]: y = x;
      x[3] | |x[2:0]: y = {1'b0, x[2:0]};
      default: y = 0;
    endcase
endmodule
