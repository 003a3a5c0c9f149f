// Words of a stream from bytes, the lowest byte first.
module board_words #(
	parameter WIDTH = 8,
	parameter BYTES = 1, // of a word
	parameter BITS = 1 // that hold BYTES
) (
	input wire clock,
	input wire reset,
	input wire [7:0] in_data,
	input wire in_valid,
	output wire [WIDTH-1:0] out_data,
	output reg out_valid // for one cycle: what follows has room
);
	wire [BITS-1:0] at_unused, next_unused;
	wire last;
	qcc_counter #(.N(BYTES), .BITS(BITS)) count (
		.clock(clock), .reset(reset), .step(in_valid), .at(at_unused), .next(next_unused), .last(last));
	reg [BYTES*8-1:0] bytes;
	wire [BYTES*8+7:0] longer = {in_data, bytes};
	assign out_data = bytes[WIDTH-1:0];
	wire unused = &{1'b0, bytes, longer[7:0]};
	always @(posedge clock) begin
		out_valid <= !reset && in_valid && last;
		if (in_valid)
			bytes <= longer[BYTES*8+7:8];
	end
endmodule
