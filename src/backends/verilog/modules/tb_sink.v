// For testbench.v: compares words with those of a file, TOTAL of them, and counts the cycles from the end of a frame to the
// end of the next one; with a seed it pauses at random.
module tb_sink #(
	parameter WIDTH = 1,
	parameter WORDS = 1,
	parameter TOTAL = 1,
	parameter FRAME = 1, // words of a frame
	parameter FILE = "out0.hex"
) (
	input wire clock,
	input wire reset,
	input wire [31:0] seed,
	input wire [WIDTH-1:0] data,
	input wire valid,
	output reg ready,
	output wire done,
	output reg wrong,
	output reg [63:0] interval
);
	reg [63:0] since;
	reg [WIDTH-1:0] memory [0:WORDS-1];
	integer got, state;
	initial $readmemh(FILE, memory);
	assign done = got >= TOTAL;
	always @(posedge clock)
		if (reset) begin
			got <= 0;
			ready <= 1'b0;
			wrong <= 1'b0;
			since <= 64'd1;
			state = seed + 1;
		end else begin
			ready <= seed == 0 || $random(state) % 3 != 0;
			since <= since + 64'd1;
			if (valid && ready) begin
				got <= got + 1;
				if ((got + 1) % FRAME == 0) begin
					interval <= since;
					since <= 64'd1;
				end
				if (data !== memory[got % WORDS]) begin
					$display("testbench: word %0d is wrong", got);
					wrong <= 1'b1;
				end
			end
		end
endmodule
