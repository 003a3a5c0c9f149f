// Registers a word of a stream and reads from a memory what belongs to the channels in it: both are there one cycle later.
module qcc_constants #(
	parameter X_WIDTH = 1, // a word of the stream
	parameter WIDTH = 1, // what the memory holds for it
	parameter FOLD = 1, // words of a vector
	parameter FOLD_BITS = 1,
	parameter FILE = "constants.hex"
) (
	input wire clock,
	input wire reset,
	input wire [X_WIDTH-1:0] in_data,
	input wire in_valid,
	output wire in_ready,
	output reg [X_WIDTH-1:0] x,
	output wire [WIDTH-1:0] constants,
	output reg out_valid,
	input wire out_ready
);
	wire [FOLD_BITS-1:0] fold, fold_next_unused;
	wire fold_last_unused;
	wire step = in_valid && in_ready;
	assign in_ready = !out_valid || out_ready;
	qcc_counter #(.N(FOLD), .BITS(FOLD_BITS)) count_fold (
		.clock(clock), .reset(reset), .step(step), .at(fold), .next(fold_next_unused), .last(fold_last_unused));
	qcc_rom #(.WIDTH(WIDTH), .WORDS(FOLD), .BITS(FOLD_BITS), .FILE(FILE)) rom (
		.clock(clock), .read(step), .address(fold), .data(constants));
	always @(posedge clock) begin
		if (reset)
			out_valid <= 1'b0;
		else if (in_ready)
			out_valid <= in_valid;
		if (step)
			x <= in_data;
	end
endmodule
