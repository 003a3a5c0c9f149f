// Two streams element by element. HELD: words of the second stream, a vector that is read once a frame and meets every vector
// of the first one; 0 where it is as long as the first.
module qcc_eltwise #(
	parameter FUNCTION = 1,
	parameter PE = 1,
	parameter WORDS = 1, // a frame
	parameter HELD = 0,
	parameter A_BITS = 1,
	parameter A_KIND = 0,
	parameter B_BITS = 1,
	parameter B_KIND = 0,
	parameter OUT_BITS = 1,
	parameter OUT_KIND = 0,
	parameter WORDS_BITS = 1,
	parameter HELD_BITS = 1
) (
	input wire clock,
	input wire reset,
	input wire [PE*A_BITS-1:0] in0_data,
	input wire in0_valid,
	output wire in0_ready,
	input wire [PE*B_BITS-1:0] in1_data,
	input wire in1_valid,
	output wire in1_ready,
	output wire [PE*OUT_BITS-1:0] out_data,
	output wire out_valid,
	input wire out_ready
);
	wire takes; // a word of the second stream
	wire [PE*B_BITS-1:0] second;
	wire step = out_valid && out_ready;
	assign out_valid = in0_valid && (in1_valid || !takes);
	assign in0_ready = step;
	assign in1_ready = step && takes;
	generate
		if (HELD == 0) begin : equal
			assign takes = 1'b1;
			assign second = in1_data;
			wire unused = &{1'b0, clock, reset};
		end else begin : hold
			reg [PE*B_BITS-1:0] memory [0:HELD-1];
			wire [WORDS_BITS-1:0] at, at_next_unused;
			wire [HELD_BITS-1:0] fold, fold_next_unused;
			wire at_last_unused, fold_last_unused;
			qcc_counter #(.N(WORDS), .BITS(WORDS_BITS)) count (
				.clock(clock), .reset(reset), .step(step), .at(at), .next(at_next_unused), .last(at_last_unused));
			qcc_counter #(.N(HELD), .BITS(HELD_BITS)) count_fold (
				.clock(clock), .reset(reset), .step(step), .at(fold), .next(fold_next_unused), .last(fold_last_unused));
			assign takes = at < HELD[WORDS_BITS-1:0];
			assign second = takes ? in1_data : memory[fold];
			always @(posedge clock)
				if (step && takes)
					memory[fold] <= in1_data;
		end
	endgenerate
	genvar pe;
	generate
		for (pe = 0; pe < PE; pe = pe + 1) begin : element
			qcc_combine #(.FUNCTION(FUNCTION), .A_BITS(A_BITS), .A_KIND(A_KIND), .B_BITS(B_BITS), .B_KIND(B_KIND),
				.OUT_BITS(OUT_BITS), .OUT_KIND(OUT_KIND)) combine (
				.a(in0_data[pe*A_BITS +: A_BITS]), .b(second[pe*B_BITS +: B_BITS]),
				.code(out_data[pe*OUT_BITS +: OUT_BITS]));
		end
	endgenerate
endmodule
