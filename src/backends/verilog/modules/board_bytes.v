// Words of a stream as bytes, the lowest byte first.
module board_bytes #(
	parameter WIDTH = 8,
	parameter BYTES = 1, // of a word
	parameter BITS = 1 // that hold BYTES
) (
	input wire clock,
	input wire reset,
	input wire [WIDTH-1:0] in_data,
	input wire in_valid,
	output wire in_ready,
	output wire [7:0] out_data,
	output wire out_valid,
	input wire out_ready
);
	localparam [31:0] COUNT = BYTES;
	reg [BYTES*8-1:0] bytes;
	reg [BITS-1:0] left;
	wire [BYTES*8:0] padded = {{(BYTES*8+1-WIDTH){1'b0}}, in_data};
	assign in_ready = left == {BITS{1'b0}};
	assign out_valid = !in_ready;
	assign out_data = bytes[7:0];
	wire unused = &{1'b0, padded[BYTES*8]};
	always @(posedge clock)
		if (reset) begin
			left <= {BITS{1'b0}};
		end else if (in_ready) begin
			bytes <= padded[BYTES*8-1:0];
			if (in_valid)
				left <= COUNT[BITS-1:0];
		end else if (out_ready) begin
			bytes <= bytes >> 8;
			left <= left - 1'b1;
		end
endmodule
