// Copies of a stream: a word goes to all N readers in the same cycle.
module qcc_fork #(
	parameter WIDTH = 1,
	parameter N = 2
) (
	input wire [WIDTH-1:0] in_data,
	input wire in_valid,
	output wire in_ready,
	output wire [N*WIDTH-1:0] out_data,
	output wire [N-1:0] out_valid,
	input wire [N-1:0] out_ready
);
	assign in_ready = &out_ready;
	assign out_data = {N{in_data}};
	assign out_valid = {N{in_valid && in_ready}};
endmodule
