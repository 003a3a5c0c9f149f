// Windows of KERNEL words of PE elements: their maxima or (AVERAGE) their sums without the SHIFT lowest bits.
module qcc_pool #(
	parameter KERNEL = 1,
	parameter PE = 1,
	parameter AVERAGE = 0,
	parameter SHIFT = 0,
	parameter X_BITS = 1,
	parameter X_KIND = 0,
	parameter SUM_BITS = 8,
	parameter OUT_BITS = 1,
	parameter OUT_KIND = 0,
	parameter BITS = 8
) (
	input wire clock,
	input wire reset,
	input wire [PE*X_BITS-1:0] in_data,
	input wire in_valid,
	output wire in_ready,
	output wire [PE*OUT_BITS-1:0] out_data,
	output wire out_valid,
	input wire out_ready
);
	wire [BITS-1:0] at, next_unused;
	wire last;
	wire first = at == {BITS{1'b0}};
	wire step = in_valid && in_ready;
	assign in_ready = out_ready || !last;
	assign out_valid = in_valid && last;
	qcc_counter #(.N(KERNEL), .BITS(BITS)) count (
		.clock(clock), .reset(reset), .step(step), .at(at), .next(next_unused), .last(last));
	genvar pe;
	generate
		for (pe = 0; pe < PE; pe = pe + 1) begin : element
			wire signed [X_BITS:0] x;
			wire [SUM_BITS-1:0] wide_code;
			wire signed [SUM_BITS-1:0] wide = wide_code;
			reg signed [SUM_BITS-1:0] held;
			wire signed [SUM_BITS-1:0] now = first ? wide : AVERAGE != 0 ? held + wide : wide > held ? wide : held;
			wire signed [SUM_BITS-1:0] shifted = now >>> SHIFT;
			qcc_number #(.BITS(X_BITS), .KIND(X_KIND)) decode (.code(in_data[pe*X_BITS +: X_BITS]), .number(x));
			qcc_code #(.NUMBER(X_BITS + 1), .BITS(SUM_BITS), .KIND(1)) widen (.number(x), .code(wide_code));
			qcc_code #(.NUMBER(SUM_BITS), .BITS(OUT_BITS), .KIND(OUT_KIND)) encode (
				.number(shifted), .code(out_data[pe*OUT_BITS +: OUT_BITS]));
			always @(posedge clock)
				if (step)
					held <= now;
		end
	endgenerate
endmodule
