// Reads all WORDS words of a frame, then writes the FOLD words of each channel's sum.
module qcc_global_sum #(
	parameter WORDS = 1,
	parameter FOLD = 1,
	parameter PE = 1,
	parameter X_BITS = 1,
	parameter X_KIND = 0,
	parameter OUT_BITS = 8,
	parameter OUT_KIND = 1,
	parameter BITS = 8,
	parameter FOLD_BITS = 1
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
	localparam SUM_BITS = OUT_BITS + 1; // for unsigned sums, a sign
	localparam SIZE = FOLD;
	reg [PE*SUM_BITS-1:0] sums [0:FOLD-1];
	wire [BITS-1:0] at, next_unused;
	wire [FOLD_BITS-1:0] fold, fold_next_unused;
	wire last_unused, fold_last_unused;
	wire reading = at < WORDS[BITS-1:0];
	wire fresh = at < SIZE[BITS-1:0];
	wire step = reading ? in_valid : out_ready;
	wire [PE*SUM_BITS-1:0] held = sums[fold];
	wire [PE*SUM_BITS-1:0] now;
	assign in_ready = reading;
	assign out_valid = !reading;
	qcc_counter #(.N(WORDS + FOLD), .BITS(BITS)) count (
		.clock(clock), .reset(reset), .step(step), .at(at), .next(next_unused), .last(last_unused));
	qcc_counter #(.N(FOLD), .BITS(FOLD_BITS)) count_fold (
		.clock(clock), .reset(reset), .step(step), .at(fold), .next(fold_next_unused), .last(fold_last_unused));
	always @(posedge clock)
		if (step && reading)
			sums[fold] <= now;
	genvar pe;
	generate
		for (pe = 0; pe < PE; pe = pe + 1) begin : element
			wire signed [X_BITS:0] x;
			wire [SUM_BITS-1:0] wide;
			qcc_number #(.BITS(X_BITS), .KIND(X_KIND)) decode (.code(in_data[pe*X_BITS +: X_BITS]), .number(x));
			qcc_code #(.NUMBER(X_BITS + 1), .BITS(SUM_BITS), .KIND(1)) widen (.number(x), .code(wide));
			assign now[pe*SUM_BITS +: SUM_BITS] = fresh ? wide : held[pe*SUM_BITS +: SUM_BITS] + wide;
			qcc_code #(.NUMBER(SUM_BITS), .BITS(OUT_BITS), .KIND(OUT_KIND)) encode (
				.number(held[pe*SUM_BITS +: SUM_BITS]), .code(out_data[pe*OUT_BITS +: OUT_BITS]));
		end
	endgenerate
endmodule
