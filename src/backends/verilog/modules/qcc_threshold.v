// Counts for each of PE elements the thresholds of its channel that it reaches.
module qcc_threshold #(
	parameter FOLD = 1, // words of a vector
	parameter PE = 1,
	parameter X_BITS = 1,
	parameter X_KIND = 0,
	parameter BITS = 8, // of thresholds
	parameter STEPS = 1,
	parameter OUT_BITS = 1,
	parameter BASE = 0,
	parameter FOLD_BITS = 1,
	parameter THRESHOLDS = "thresholds.hex"
) (
	input wire clock,
	input wire reset,
	input wire [PE*X_BITS-1:0] in_data,
	input wire in_valid,
	output wire in_ready,
	output wire [PE*OUT_BITS-1:0] out_data,
	output wire out_valid,
	input wire out_ready
);
	wire [PE*X_BITS-1:0] x;
	wire [PE*STEPS*BITS-1:0] thresholds;
	qcc_constants #(.X_WIDTH(PE * X_BITS), .WIDTH(PE * STEPS * BITS), .FOLD(FOLD), .FOLD_BITS(FOLD_BITS), .FILE(THRESHOLDS)) read (
		.clock(clock), .reset(reset), .in_data(in_data), .in_valid(in_valid), .in_ready(in_ready), .x(x), .constants(thresholds),
		.out_valid(out_valid), .out_ready(out_ready));
	genvar pe;
	generate
		for (pe = 0; pe < PE; pe = pe + 1) begin : element
			wire signed [X_BITS:0] number;
			wire [BITS-1:0] fitted;
			qcc_number #(.BITS(X_BITS), .KIND(X_KIND)) decode (.code(x[pe*X_BITS +: X_BITS]), .number(number));
			qcc_code #(.NUMBER(X_BITS + 1), .BITS(BITS), .KIND(1)) fit (.number(number), .code(fitted));
			qcc_activate #(.BITS(BITS), .STEPS(STEPS), .OUT_BITS(OUT_BITS), .BASE(BASE)) activate (
				.number(fitted), .thresholds(thresholds[pe*STEPS*BITS +: STEPS*BITS]),
				.code(out_data[pe*OUT_BITS +: OUT_BITS]));
		end
	endgenerate
endmodule
