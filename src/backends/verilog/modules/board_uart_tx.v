// Bytes to a serial line: 8 bits, the lowest first, no parity, one stop bit.
module board_uart_tx #(
	parameter DIVIDER = 104, // cycles a bit
	parameter BITS = 7 // that hold DIVIDER
) (
	input wire clock,
	input wire reset,
	input wire [7:0] data,
	input wire valid,
	output wire ready,
	output wire line
);
	localparam [31:0] WHOLE = DIVIDER - 1;
	reg [BITS-1:0] timer;
	reg [3:0] left; // bits to send
	reg [8:0] bits; // the next one lowest
	assign ready = left == 4'd0;
	assign line = bits[0];
	initial bits = 9'h1ff;
	always @(posedge clock)
		if (reset) begin
			left <= 4'd0;
			bits <= 9'h1ff;
		end else if (ready) begin
			timer <= WHOLE[BITS-1:0];
			if (valid) begin
				left <= 4'd10;
				bits <= {data, 1'b0};
			end
		end else if (timer != {BITS{1'b0}}) begin
			timer <= timer - 1'b1;
		end else begin
			timer <= WHOLE[BITS-1:0];
			left <= left - 1'b1;
			bits <= {1'b1, bits[8:1]};
		end
endmodule
