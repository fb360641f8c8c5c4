// Every group's design side by side, for a testbench outside of the language: cocotb.
`define FIELD(g, k) int'(TABLE[32*(10*(g)+(k))+:32])

module ap_quantize_duts;
  import ap_quantize_groups::*;

  for (genvar g = 0; g < GROUPS; g = g + 1) begin : group
    reg  [`FIELD(g, 1)-1:0] a;
    wire [`FIELD(g, 4)-1:0] y;

    ap_quantize #(
        .SRC_W(`FIELD(g, 1)),
        .SRC_I(`FIELD(g, 2)),
        .SRC_S(`FIELD(g, 3)),
        .W(`FIELD(g, 4)),
        .I(`FIELD(g, 5)),
        .S(`FIELD(g, 6)),
        .Q(`FIELD(g, 7)),
        .O(`FIELD(g, 8)),
        .N(`FIELD(g, 9))
    ) dut (
        .a(a),
        .y(y)
    );
  end
endmodule
