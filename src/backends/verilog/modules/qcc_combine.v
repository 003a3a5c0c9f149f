// One number from two. FUNCTION: 1 sum, 2 difference, 3 its absolute value, 4 product, 5 at least, 6 at most.
module qcc_combine #(
	parameter FUNCTION = 1,
	parameter A_BITS = 1,
	parameter A_KIND = 0,
	parameter B_BITS = 1,
	parameter B_KIND = 0,
	parameter OUT_BITS = 1,
	parameter OUT_KIND = 0
) (
	input wire [A_BITS-1:0] a,
	input wire [B_BITS-1:0] b,
	output wire [OUT_BITS-1:0] code
);
	localparam WIDE = A_BITS + B_BITS + 2;
	wire signed [A_BITS:0] number_a;
	wire signed [B_BITS:0] number_b;
	wire signed [WIDE-1:0] x = {{(WIDE-A_BITS-1){number_a[A_BITS]}}, number_a};
	wire signed [WIDE-1:0] y = {{(WIDE-B_BITS-1){number_b[B_BITS]}}, number_b};
	wire signed [WIDE-1:0] result;
	qcc_number #(.BITS(A_BITS), .KIND(A_KIND)) decode_a (.code(a), .number(number_a));
	qcc_number #(.BITS(B_BITS), .KIND(B_KIND)) decode_b (.code(b), .number(number_b));
	generate
		if (FUNCTION == 2) begin : difference
			assign result = x - y;
		end else if (FUNCTION == 3) begin : distance
			assign result = x > y ? x - y : y - x;
		end else if (FUNCTION == 4) begin : product
			assign result = x * y;
		end else if (FUNCTION == 5) begin : at_least
			assign result = {{(WIDE-1){1'b0}}, x >= y};
		end else if (FUNCTION == 6) begin : at_most
			assign result = {{(WIDE-1){1'b0}}, x <= y};
		end else begin : sum
			assign result = x + y;
		end
	endgenerate
	qcc_code #(.NUMBER(WIDE), .BITS(OUT_BITS), .KIND(OUT_KIND)) encode (.number(result), .code(code));
endmodule
