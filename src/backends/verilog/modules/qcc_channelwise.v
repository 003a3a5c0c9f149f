// Each element with a constant of its channel.
module qcc_channelwise #(
	parameter FUNCTION = 1,
	parameter PE = 1,
	parameter FOLD = 1, // words of a vector
	parameter A_BITS = 1,
	parameter A_KIND = 0,
	parameter B_BITS = 1,
	parameter B_KIND = 0,
	parameter OUT_BITS = 1,
	parameter OUT_KIND = 0,
	parameter FOLD_BITS = 1,
	parameter CONSTANTS = "constants.hex"
) (
	input wire clock,
	input wire reset,
	input wire [PE*A_BITS-1:0] in_data,
	input wire in_valid,
	output wire in_ready,
	output wire [PE*OUT_BITS-1:0] out_data,
	output wire out_valid,
	input wire out_ready
);
	reg valid;
	reg [PE*A_BITS-1:0] x;
	wire [FOLD_BITS-1:0] fold, fold_next_unused;
	wire fold_last_unused;
	wire step = in_valid && in_ready;
	wire [PE*B_BITS-1:0] constants;
	assign in_ready = !valid || out_ready;
	assign out_valid = valid;
	qcc_counter #(.N(FOLD), .BITS(FOLD_BITS)) count_fold (
		.clock(clock), .reset(reset), .step(step), .at(fold), .next(fold_next_unused), .last(fold_last_unused));
	qcc_rom #(.WIDTH(PE * B_BITS), .WORDS(FOLD), .BITS(FOLD_BITS), .FILE(CONSTANTS)) constant_rom (
		.clock(clock), .read(step), .address(fold), .data(constants));
	always @(posedge clock) begin
		if (reset)
			valid <= 1'b0;
		else if (in_ready)
			valid <= in_valid;
		if (step)
			x <= in_data;
	end
	genvar pe;
	generate
		for (pe = 0; pe < PE; pe = pe + 1) begin : element
			qcc_combine #(.FUNCTION(FUNCTION), .A_BITS(A_BITS), .A_KIND(A_KIND), .B_BITS(B_BITS), .B_KIND(B_KIND),
				.OUT_BITS(OUT_BITS), .OUT_KIND(OUT_KIND)) combine (
				.a(x[pe*A_BITS +: A_BITS]), .b(constants[pe*B_BITS +: B_BITS]),
				.code(out_data[pe*OUT_BITS +: OUT_BITS]));
		end
	endgenerate
endmodule
