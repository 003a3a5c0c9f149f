// Bit `in` of a table of constants.
module qcc_table #(
	parameter INPUTS = 1,
	parameter [(1<<INPUTS)-1:0] TABLE = 0
) (
	input wire [INPUTS-1:0] in,
	output wire out
);
	assign out = TABLE[in];
endmodule
