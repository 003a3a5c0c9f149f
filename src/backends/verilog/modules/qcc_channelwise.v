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
	wire [PE*A_BITS-1:0] x;
	wire [PE*B_BITS-1:0] constants;
	qcc_constants #(.X_WIDTH(PE * A_BITS), .WIDTH(PE * B_BITS), .FOLD(FOLD), .FOLD_BITS(FOLD_BITS), .FILE(CONSTANTS)) read (
		.clock(clock), .reset(reset), .in_data(in_data), .in_valid(in_valid), .in_ready(in_ready), .x(x), .constants(constants),
		.out_valid(out_valid), .out_ready(out_ready));
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
