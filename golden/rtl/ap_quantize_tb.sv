// Replays every group of ap_quantize_groups at once.  +vectors=DIR names the folder of the words.
//
// The last line is "PASS n vectors" or "FAIL n of m"; a failure also ends the simulator with an error.
`define FIELD(g, k) int'(TABLE[32*(10*(g)+(k))+:32])

module ap_quantize_tb;
  import ap_quantize_groups::*;

  wire [GROUPS-1:0] done;
  wire [GROUPS*32-1:0] checked, failed;
  int total, wrong;

  for (genvar g = 0; g < GROUPS; g = g + 1) begin : group
    ap_quantize_check #(
        .GROUP(g),
        .COUNT(`FIELD(g, 0)),
        .SRC_W(`FIELD(g, 1)),
        .SRC_I(`FIELD(g, 2)),
        .SRC_S(`FIELD(g, 3)),
        .W(`FIELD(g, 4)),
        .I(`FIELD(g, 5)),
        .S(`FIELD(g, 6)),
        .Q(`FIELD(g, 7)),
        .O(`FIELD(g, 8)),
        .N(`FIELD(g, 9))
    ) check (
        .done(done[g]),
        .checked(checked[32*g+:32]),
        .failed(failed[32*g+:32])
    );
  end

  initial begin
    #1 wait (&done === 1'b1);
    total = 0;
    wrong = 0;
    for (int g = 0; g < GROUPS; g = g + 1) begin
      total = total + checked[32*g+:32];
      wrong = wrong + failed[32*g+:32];
    end
    if (wrong == 0 && total == VECTORS && total > 0) begin
      $display("PASS %0d vectors", total);
      $finish;
    end else begin
      $display("FAIL %0d of %0d vectors, %0d were to be checked", wrong, total, VECTORS);
      $fatal(1, "the design and the golden vectors differ");
    end
  end
endmodule
