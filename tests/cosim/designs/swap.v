// As Vitis writes void swap(T a[8], int8 *p, int8 q): a is turned about in place through both ports of
// a memory (inout), p is read and written (ap_vld), q is taken by a handshake (ap_hs) and added to p.
module swap (
    input ap_clk,
    input ap_rst_n,
    input ap_start,
    output ap_done,
    output ap_idle,
    output ap_ready,
    output [2:0] a_address0,
    output a_ce0,
    output a_we0,
    output [15:0] a_d0,
    input [15:0] a_q0,
    output [2:0] a_address1,
    output a_ce1,
    output a_we1,
    output [15:0] a_d1,
    input [15:0] a_q1,
    input [7:0] p_i,
    output [7:0] p_o,
    output p_o_ap_vld,
    input [7:0] q,
    input q_ap_vld,
    output q_ap_ack
);
  localparam IDLE = 2'd0, TAKE = 2'd1, READ = 2'd2, WRITE = 2'd3;
  reg [1:0] state;
  reg [1:0] i;
  reg [7:0] taken;
  assign ap_idle = state == IDLE;
  assign ap_done = state == WRITE && i == 3;
  assign ap_ready = ap_done;
  assign q_ap_ack = state == TAKE && q_ap_vld;
  assign {a_ce0, a_ce1} = {2{state == READ || state == WRITE}};
  assign {a_we0, a_we1} = {2{state == WRITE}};
  assign a_address0 = {1'b0, i};
  assign a_address1 = ~a_address0;
  assign a_d0 = a_q1;
  assign a_d1 = a_q0;
  assign p_o = p_i + taken;
  assign p_o_ap_vld = ap_done;
  always @(posedge ap_clk)
    if (!ap_rst_n) state <= IDLE;
    else
      case (state)
        IDLE: begin
          i <= 0;
          if (ap_start) state <= TAKE;
        end
        TAKE:
        if (q_ap_vld) begin
          taken <= q;
          state <= READ;
        end
        READ: state <= WRITE;
        WRITE: begin
          i <= i + 1;
          state <= i == 3 ? IDLE : READ;
        end
      endcase
endmodule
