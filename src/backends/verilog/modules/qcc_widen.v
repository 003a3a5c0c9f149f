// N elements in codes of another width.
module qcc_widen #(
	parameter N = 1,
	parameter X_BITS = 1,
	parameter X_KIND = 0,
	parameter OUT_BITS = 1,
	parameter OUT_KIND = 0
) (
	input wire [N*X_BITS-1:0] in,
	output wire [N*OUT_BITS-1:0] out
);
	genvar i;
	generate
		for (i = 0; i < N; i = i + 1) begin : element
			wire signed [X_BITS:0] x;
			qcc_number #(.BITS(X_BITS), .KIND(X_KIND)) decode (.code(in[i*X_BITS +: X_BITS]), .number(x));
			qcc_code #(.NUMBER(X_BITS + 1), .BITS(OUT_BITS), .KIND(OUT_KIND)) encode (
				.number(x), .code(out[i*OUT_BITS +: OUT_BITS]));
		end
	endgenerate
endmodule
