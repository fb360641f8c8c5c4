// As Vitis writes a loop over hls::stream with ap_ctrl_none: running sums of a packet, TLAST kept.
module running (
    input ap_clk,
    input ap_rst_n,
    input [15:0] x_TDATA,
    input x_TVALID,
    output x_TREADY,
    input [0:0] x_TLAST,
    input [1:0] x_TKEEP,
    output [23:0] y_TDATA,
    output y_TVALID,
    input y_TREADY,
    output [0:0] y_TLAST
);
  reg [23:0] total, data;
  reg valid, last;
  wire take = x_TVALID && x_TREADY && x_TKEEP == 2'b11;
  wire [23:0] next = total + {{12{x_TDATA[11]}}, x_TDATA[11:0]};
  assign x_TREADY = !valid || y_TREADY;
  assign y_TVALID = valid;
  assign y_TDATA = data;
  assign y_TLAST = last;
  always @(posedge ap_clk)
    if (!ap_rst_n) begin
      total <= 0;
      valid <= 0;
    end else begin
      if (x_TREADY) valid <= take;
      if (take) begin
        total <= x_TLAST ? 24'd0 : next;
        data <= next;
        last <= x_TLAST;
      end
    end
endmodule

// As Vitis writes void pairs(hls::stream<T> &x, hls::stream<U> &y): ap_fifo; y gets sums of pairs.
module pairs (
    input ap_clk,
    input ap_rst,
    input ap_start,
    output ap_done,
    output ap_idle,
    output ap_ready,
    input [7:0] n,
    input [7:0] x_dout,
    input x_empty_n,
    output x_read,
    output [8:0] y_din,
    input y_full_n,
    output y_write
);
  reg busy, odd;
  reg [7:0] first, left;
  wire go = busy && left != 0 && x_empty_n && (!odd || y_full_n);
  assign x_read = go;
  assign y_write = go && odd;
  assign y_din = first + x_dout;
  assign ap_done = busy && left == 0;
  assign ap_ready = ap_done;
  assign ap_idle = !busy;
  always @(posedge ap_clk)
    if (ap_rst) busy <= 0;
    else if (!busy) begin
      busy <= ap_start;
      left <= n;
      odd <= 0;
    end else if (ap_done) busy <= 0;
    else if (go) begin
      first <= x_dout;
      odd <= !odd;
      left <= left - 1;
    end
endmodule
