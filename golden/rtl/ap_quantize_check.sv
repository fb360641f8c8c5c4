// Replays one group of golden vectors on ap_quantize, and counts.
//
// A memory file has one zero-padded hexadecimal word a line.  $readmemh only warns about a file that
// is missing, short or long, and a two-state simulator reads x as 0; so the file is first read
// character by character, and what is not exactly COUNT such lines is a failure.
module ap_quantize_check #(
    parameter int GROUP = 0,
    parameter int COUNT = 0,
    parameter int SRC_W = 16,
    parameter int SRC_I = 6,
    parameter int SRC_S = 1,
    parameter int W = 8,
    parameter int I = 4,
    parameter int S = 1,
    parameter int Q = 5,
    parameter int O = 3,
    parameter int N = 0
) (
    output reg done,
    output reg [31:0] checked,
    output reg [31:0] failed
);

  localparam int SHOWN = 3;  // differences printed a group
  localparam int SRC_DIGITS = (SRC_W + 3) / 4;
  localparam int DIGITS = (W + 3) / 4;

  // As wide as their digits: what stands above the word is compared too, and must be 0.
  reg [4*SRC_DIGITS-1:0] inputs[0:COUNT-1];
  reg [4*DIGITS-1:0] expected[0:COUNT-1];
  reg [4*SRC_DIGITS-1:0] word;
  reg [SRC_W-1:0] a;
  wire [W-1:0] y;
  wire [4*DIGITS-1:0] found = (4 * DIGITS)'(y);
  string directory, source, target;

  ap_quantize #(
      .SRC_W(SRC_W),
      .SRC_I(SRC_I),
      .SRC_S(SRC_S),
      .W(W),
      .I(I),
      .S(S),
      .Q(Q),
      .O(O),
      .N(N)
  ) dut (
      .a(a),
      .y(y)
  );

  // The count of lines of DIGITS hexadecimal digits; -1 if there is no file, or anything else in it.
  function automatic int lines_of(input string path, input int digits);
    int file, c, column, lines;
    lines = 0;
    column = 0;
    file = $fopen(path, "r");
    if (file == 0) return -1;
    c = $fgetc(file);
    while (c >= 0 && lines >= 0) begin
      if (c == 10) begin
        lines = column == digits ? lines + 1 : -1;
        column = 0;
      end else begin
        if (!((c >= 48 && c <= 57) || (c >= 97 && c <= 102))) lines = -1;
        column = column + 1;
      end
      c = $fgetc(file);
    end
    $fclose(file);
    return column == 0 ? lines : -1;
  endfunction

  initial begin
    done = 0;
    checked = 0;
    failed = 0;
    if (!$value$plusargs("vectors=%s", directory)) directory = ".";
    source = $sformatf("%0s/%04d.a.mem", directory, GROUP);
    target = $sformatf("%0s/%04d.expected.mem", directory, GROUP);
    if (COUNT == 0 || lines_of(source, SRC_DIGITS) != COUNT) begin
      $display("FAIL group %0d: %0s has not %0d words of %0d bits", GROUP, source, COUNT, SRC_W);
      failed = failed + 1;
    end else if (lines_of(target, DIGITS) != COUNT) begin
      $display("FAIL group %0d: %0s has not %0d words of %0d bits", GROUP, target, COUNT, W);
      failed = failed + 1;
    end else begin
      $readmemh(source, inputs);
      $readmemh(target, expected);
      for (int k = 0; k < COUNT; k = k + 1) begin
        word = inputs[k];
        a = word[SRC_W-1:0];
        #1;
        // An X anywhere is no word: ^ of it is X, and === sees that.
        if (^y === 1'bx || word !== (4 * SRC_DIGITS)'(a) || found !== expected[k]) begin
          if (failed < SHOWN)
            $display("FAIL group %0d, line %0d: %h => %h, expected %h", GROUP, k + 1, word, found,
                     expected[k]);
          failed = failed + 1;
        end
        checked = checked + 1;
      end
    end
    done = 1;
  end

endmodule
