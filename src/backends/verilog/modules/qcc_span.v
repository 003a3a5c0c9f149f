// A coordinate that runs over BEFORE, SIZE and AFTER places: whether it is at a multiple of STRIDE within the SIZE.
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
	wire within;
	generate
		if (BEFORE > 0) begin : behind
			assign within = at < TO[BITS-1:0] && at >= FROM[BITS-1:0];
		end else begin : from_begin
			assign within = at < TO[BITS-1:0];
		end
	endgenerate
	assign inside_span = within && phase == {BITS{1'b0}};
	qcc_counter #(.N(BEFORE + SIZE + AFTER), .BITS(BITS)) count (
		.clock(clock), .reset(reset), .step(step), .at(at), .next(next_unused), .last(last));
	always @(posedge clock)
		if (reset)
			phase <= {BITS{1'b0}};
		else if (step)
			phase <= !within || phase == END[BITS-1:0] || last ? {BITS{1'b0}} : phase + 1'b1;
endmodule
