// A coordinate that runs over BEFORE, SIZE and AFTER places: whether it is at a multiple of STRIDE is_inside the SIZE.
module qcc_span #(
	parameter BEFORE = 0,
	parameter SIZE = 1,
	parameter AFTER = 0,
	parameter STRIDE = 1,
	parameter BITS = 8
) (
	input wire clock,
	input wire reset,
	input wire step,
	output wire inside_span,
	output wire last
);
	localparam FROM = BEFORE;
	localparam TO = BEFORE + SIZE;
	localparam END = STRIDE - 1;
	wire [BITS-1:0] at, next_unused;
	reg [BITS-1:0] phase;
	wire is_inside;
	generate
		if (BEFORE > 0) begin : behind
			assign is_inside = at < TO[BITS-1:0] && at >= FROM[BITS-1:0];
		end else begin : from_begin
			assign is_inside = at < TO[BITS-1:0];
		end
	endgenerate
	assign inside_span = is_inside && phase == {BITS{1'b0}};
	qcc_counter #(.N(BEFORE + SIZE + AFTER), .BITS(BITS)) count (
		.clock(clock), .reset(reset), .step(step), .at(at), .next(next_unused), .last(last));
	always @(posedge clock)
		if (reset)
			phase <= {BITS{1'b0}};
		else if (step)
			phase <= !is_inside || phase == END[BITS-1:0] || last ? {BITS{1'b0}} : phase + 1'b1;
endmodule
