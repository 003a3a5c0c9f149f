// Bytes from a serial line: 8 bits, the lowest first, no parity. A line that stays low (a break) is `broken`.
module board_uart_rx #(
	parameter DIVIDER = 104, // cycles a bit
	parameter BITS = 7 // that hold DIVIDER
) (
	input wire clock,
	input wire line,
	output reg [7:0] data,
	output reg valid, // for one cycle
	output reg broken
);
	localparam [31:0] WHOLE = DIVIDER - 1, HALF = DIVIDER / 2 - 1;
	localparam [3:0] IDLE = 4'd0, START = 4'd1, STOP = 4'd10; // between them: bit 0 to 7
	reg [2:0] levels; // the line has no clock
	reg [BITS-1:0] timer;
	reg [3:0] phase;
	wire level = levels[2];
	initial begin
		levels = 3'b111;
		phase = IDLE;
		valid = 1'b0;
		broken = 1'b0;
	end
	always @(posedge clock) begin
		levels <= {levels[1:0], line};
		valid <= phase == STOP && timer == {BITS{1'b0}} && level;
		if (phase == IDLE) begin
			timer <= HALF[BITS-1:0];
			broken <= broken && !level;
			if (!level && !broken)
				phase <= START;
		end else if (timer != {BITS{1'b0}}) begin
			timer <= timer - 1'b1;
		end else begin // the middle of a bit
			timer <= WHOLE[BITS-1:0];
			phase <= phase == STOP || (phase == START && level) ? IDLE : phase + 1'b1;
			if (phase == STOP)
				broken <= !level;
			else
				data <= {level, data[7:1]};
		end
	end
endmodule
