// The sum of N products of inputs and weights. Bipolar times bipolar counts the equal bits (XNOR and popcount); where one
// factor is a single bit, the other is taken, negated or left out instead of multiplied.
module qcc_dot #(
	parameter N = 1,
	parameter X_BITS = 1,
	parameter X_KIND = 0,
	parameter W_BITS = 1,
	parameter W_KIND = 0,
	parameter COUNT = 0,
	parameter BITS = 8
) (
	input wire [N*X_BITS-1:0] x,
	input wire [N*W_BITS-1:0] w,
	output wire signed [BITS-1:0] sum
);
	localparam WIDE = X_BITS + W_BITS + 2;
	wire [N*BITS-1:0] products;
	genvar i;
	generate
		for (i = 0; i < N; i = i + 1) begin : product
			wire signed [WIDE-1:0] p;
			qcc_code #(.NUMBER(WIDE), .BITS(BITS), .KIND(1)) fit (.number(p), .code(products[i*BITS +: BITS]));
			if (COUNT != 0) begin : equal
				assign p = {{(WIDE-1){1'b0}}, x[i] ~^ w[i]};
			end else begin : signs
				wire signed [W_BITS:0] b;
				wire signed [WIDE-1:0] wide_b = {{(WIDE-W_BITS-1){b[W_BITS]}}, b};
				qcc_number #(.BITS(W_BITS), .KIND(W_KIND)) weight_number (.code(w[i*W_BITS +: W_BITS]), .number(b));
				if (X_BITS == 1 && X_KIND == 0) begin : taken
					assign p = x[i] ? wide_b : {WIDE{1'b0}};
				end else if (X_KIND == 2) begin : turned
					assign p = x[i] ? wide_b : -wide_b;
				end else begin : numbers
					wire signed [X_BITS:0] a;
					wire signed [WIDE-1:0] wide_a = {{(WIDE-X_BITS-1){a[X_BITS]}}, a};
					qcc_number #(.BITS(X_BITS), .KIND(X_KIND)) input_number (
						.code(x[i*X_BITS +: X_BITS]), .number(a));
					if (W_KIND == 2) begin : turning
						wire unused = &{1'b0, wide_b};
						assign p = w[i] ? wide_a : -wide_a;
					end else begin : multiplied
						assign p = wide_a * wide_b;
					end
				end
			end
		end
	endgenerate
	reg signed [BITS-1:0] total;
	integer k;
	always @* begin
		total = {BITS{1'b0}};
		for (k = 0; k < N; k = k + 1)
			total = total + products[k*BITS +: BITS];
	end
	assign sum = total;
endmodule
