// The board in simulation: sends the bytes of a file bit by bit to uart_rx, decodes uart_tx bit by bit, and writes the bytes that
// come back to another file; frame by frame, each after the answer to the last. vvp obj/board +bytes=N +frame=N +answer=N.
`timescale 1ns/1ps
module board_bench;
	localparam PERIOD = 10, BIT = `DIVIDER * PERIOD;
	reg clock, uart_rx;
	wire uart_tx, led;
	board circuit (.clock(clock), .uart_rx(uart_rx), .uart_tx(uart_tx), .led(led));
	reg [7:0] to_send [0:(1<<20)-1];
	reg [7:0] got;
	integer bytes, frame, answer, sent, received, file, i, k;
	initial clock = 1'b0;
	always #(PERIOD / 2) clock = ~clock;

	initial begin
		if (!$value$plusargs("bytes=%d", bytes) || !$value$plusargs("frame=%d", frame) || !$value$plusargs("answer=%d", answer))
			$finish;
		$readmemh("obj/board_in.hex", to_send, 0, bytes - 1);
		file = $fopen("obj/board_out.hex", "w");
		received = 0;
		uart_rx = 1'b1;
		#(BIT * 20);
		// Half a byte and a break: what came before it must be forgotten.
		uart_rx = 1'b0;
		#(BIT * 3) uart_rx = 1'b1;
		#(BIT * 20) uart_rx = 1'b0;
		#(BIT * 20) uart_rx = 1'b1;
		#(BIT * 20);
		for (sent = 0; sent < bytes; sent = sent + 1) begin
			// The other side's clock is 1.5 % slow.
			uart_rx = 1'b0;
			for (i = 0; i < 8; i = i + 1)
				#(BIT + BIT * 3 / 200) uart_rx = to_send[sent][i];
			#(BIT + BIT * 3 / 200) uart_rx = 1'b1;
			#(BIT + BIT * 3 / 200);
			if ((sent + 1) % frame == 0)
				wait (received == (sent + 1) / frame * answer);
		end
		#(BIT * 20);
		if (received != bytes / frame * answer)
			$display("board: %0d bytes came back instead of %0d", received, bytes / frame * answer);
		$fclose(file);
		$finish;
	end

	always @(negedge uart_tx) begin
		#(BIT / 2);
		for (k = 0; k < 8; k = k + 1)
			#(BIT) got[k] = uart_tx;
		#(BIT);
		if (uart_tx !== 1'b1)
			$display("board: no stop bit");
		$fdisplay(file, "%02x", got);
		received = received + 1;
	end

	// A board that does not answer.
	integer quiet;
	initial quiet = 0;
	always @(posedge clock) begin
		quiet <= quiet + 1;
		if (quiet == `PATIENCE) begin
			$display("board: no answer after %0d cycles", quiet);
			$finish;
		end
	end
	always @(received or sent)
		quiet = 0;
endmodule
