// The larger of two numbers, N times.
module qcc_larger #(
	parameter N = 1,
	parameter X_BITS = 1,
	parameter X_KIND = 0
) (
	input wire [N*X_BITS-1:0] a,
	input wire [N*X_BITS-1:0] b,
	output wire [N*X_BITS-1:0] larger
);
	genvar i;
	generate
		for (i = 0; i < N; i = i + 1) begin : element
			wire signed [X_BITS:0] x, y;
			qcc_number #(.BITS(X_BITS), .KIND(X_KIND)) decode_a (.code(a[i*X_BITS +: X_BITS]), .number(x));
			qcc_number #(.BITS(X_BITS), .KIND(X_KIND)) decode_b (.code(b[i*X_BITS +: X_BITS]), .number(y));
			assign larger[i*X_BITS +: X_BITS] = x > y ? a[i*X_BITS +: X_BITS] : b[i*X_BITS +: X_BITS];
		end
	endgenerate
endmodule
