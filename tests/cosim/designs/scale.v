// As Vitis writes void scale(const T a[5], T k, T y[5], U *sum) and its return value: ap_ctrl_hs,
// ap_memory, ap_none and ap_vld.  y[i] = a[i] * k >> 4; sum of y; returns how many were negative.
// HANG never says that it is done when k is -1; WILD writes y[5].
module scale #(
    parameter HANG = 0,
    parameter WILD = 0
) (
    input ap_clk,
    input ap_rst,
    input ap_start,
    output ap_done,
    output ap_idle,
    output ap_ready,
    output [2:0] a_address0,
    output a_ce0,
    input [7:0] a_q0,
    input [7:0] k,
    output [2:0] y_address0,
    output y_ce0,
    output y_we0,
    output [7:0] y_d0,
    output [15:0] sum,
    output sum_ap_vld,
    output [31:0] ap_return
);
  localparam IDLE = 2'd0, READ = 2'd1, WRITE = 2'd2, DONE = 2'd3;
  reg [1:0] state;
  reg [2:0] i;
  reg [15:0] total;
  reg [31:0] negative;
  wire signed [15:0] product = $signed(a_q0) * $signed(k);
  wire signed [7:0] scaled = product >>> 4;
  assign ap_idle = state == IDLE && !ap_start;
  assign ap_done = state == DONE && !(HANG && k == 8'hff);
  assign ap_ready = ap_done;
  assign a_address0 = i;
  assign a_ce0 = state == READ;
  assign y_address0 = WILD && i == 4 ? 3'd5 : i;
  assign y_ce0 = state == WRITE;
  assign y_we0 = state == WRITE;
  assign y_d0 = scaled;
  assign sum = total;
  assign sum_ap_vld = ap_done;
  assign ap_return = negative;
  always @(posedge ap_clk) begin
    if (ap_rst) state <= IDLE;
    else
      case (state)
        IDLE:
        if (ap_start) begin
          state <= READ;
          i <= 0;
          total <= 0;
          negative <= 0;
        end
        READ: state <= WRITE;
        WRITE: begin
          total <= total + {{8{scaled[7]}}, scaled};
          negative <= negative + {31'd0, scaled[7]};
          i <= i + 1;
          state <= i == 4 ? DONE : READ;
        end
        DONE: if (ap_done) state <= IDLE;
      endcase
  end
endmodule
