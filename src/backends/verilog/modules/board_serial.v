// A design's input and output streams over a serial line. A frame's words come in one after the other, each in whole bytes,
// the lowest first, and so do its results go out. There is room for FRAME words, a frame: whoever sends the next one after the
// answer to the last never loses a byte. A break on the line resets the design, and so does the power-up.
module board_serial #(
	parameter DIVIDER = 104, // cycles a bit
	parameter DIVIDER_BITS = 7,
	parameter IN = 8, // bits of an input word
	parameter IN_BYTES = 1,
	parameter IN_BITS = 1, // that hold IN_BYTES
	parameter FRAME = 2, // input words of a frame
	parameter OUT = 8,
	parameter OUT_BYTES = 1,
	parameter OUT_BITS = 1
) (
	input wire clock,
	input wire uart_rx,
	output wire uart_tx,
	output wire reset,
	output wire [IN-1:0] in_data,
	output wire in_valid,
	input wire in_ready,
	input wire [OUT-1:0] out_data,
	input wire out_valid,
	output wire out_ready
);
	reg [3:0] age; // since power-up
	wire broken;
	initial age = 4'd0;
	always @(posedge clock)
		if (age != 4'd15)
			age <= age + 4'd1;
	assign reset = broken || age != 4'd15;

	wire [7:0] received, sent;
	wire received_valid, sent_valid, sent_ready, word_valid, word_ready_unused;
	wire [IN-1:0] word;
	board_uart_rx #(.DIVIDER(DIVIDER), .BITS(DIVIDER_BITS)) rx (
		.clock(clock), .line(uart_rx), .data(received), .valid(received_valid), .broken(broken));
	board_words #(.WIDTH(IN), .BYTES(IN_BYTES), .BITS(IN_BITS)) to_words (
		.clock(clock), .reset(reset), .in_data(received), .in_valid(received_valid), .out_data(word), .out_valid(word_valid));
	qcc_fifo #(.WIDTH(IN), .DEPTH(FRAME)) queue (
		.clock(clock), .reset(reset), .in_data(word), .in_valid(word_valid), .in_ready(word_ready_unused),
		.out_data(in_data), .out_valid(in_valid), .out_ready(in_ready));
	board_bytes #(.WIDTH(OUT), .BYTES(OUT_BYTES), .BITS(OUT_BITS)) to_bytes (
		.clock(clock), .reset(reset), .in_data(out_data), .in_valid(out_valid), .in_ready(out_ready),
		.out_data(sent), .out_valid(sent_valid), .out_ready(sent_ready));
	board_uart_tx #(.DIVIDER(DIVIDER), .BITS(DIVIDER_BITS)) tx (
		.clock(clock), .reset(reset), .data(sent), .valid(sent_valid), .ready(sent_ready), .line(uart_tx));
endmodule
