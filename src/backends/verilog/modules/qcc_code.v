// The code of BITS bits of a number that an element of that kind (see qcc_number) can hold.
module qcc_code #(
	parameter NUMBER = 2,
	parameter BITS = 1,
	parameter KIND = 0
) (
	input wire signed [NUMBER-1:0] number,
	output wire [BITS-1:0] code
);
	generate
		if (KIND == 2) begin : bipolar
			assign code = ~number[NUMBER-1];
			if (NUMBER > 1) begin : rest
				wire unused = &{1'b0, number[NUMBER-2:0]};
			end
		end else if (NUMBER > BITS) begin : narrower
			assign code = number[BITS-1:0];
			wire unused = &{1'b0, number[NUMBER-1:BITS]};
		end else if (NUMBER == BITS) begin : same
			assign code = number;
		end else begin : wider
			assign code = {{(BITS-NUMBER){number[NUMBER-1]}}, number};
		end
	endgenerate
endmodule
