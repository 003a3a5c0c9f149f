// The number that an element's code stands for, with a bit for the sign. KIND: 0 unsigned, 1 two's complement, 2 bipolar
// (a bit that is 0 for -1 and 1 for +1).
module qcc_number #(
	parameter BITS = 1,
	parameter KIND = 0
) (
	input wire [BITS-1:0] code,
	output wire signed [BITS:0] number
);
	generate
		if (KIND == 2) begin : bipolar
			assign number = {~code, 1'b1};
		end else begin : integral
			assign number = {KIND == 1 ? code[BITS-1] : 1'b0, code};
		end
	endgenerate
endmodule
