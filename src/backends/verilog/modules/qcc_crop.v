// The H x W pixels inside a border of an image; pixels have FOLD words.
module qcc_crop #(
	parameter WIDTH = 1,
	parameter FOLD = 1,
	parameter H = 1,
	parameter W = 1,
	parameter TOP = 0,
	parameter LEFT = 0,
	parameter BOTTOM = 0,
	parameter RIGHT = 0,
	parameter BITS = 8
) (
	input wire clock,
	input wire reset,
	input wire [WIDTH-1:0] in_data,
	input wire in_valid,
	output wire in_ready,
	output wire [WIDTH-1:0] out_data,
	output wire out_valid,
	input wire out_ready
);
	wire [BITS-1:0] fold, fold_next_unused;
	wire fold_last, x_last, y_last_unused, x_inside, y_inside;
	wire kept = x_inside && y_inside;
	wire step = in_valid && in_ready;
	assign out_valid = in_valid && kept;
	assign in_ready = out_ready || !kept;
	assign out_data = in_data;
	qcc_counter #(.N(FOLD), .BITS(BITS)) count_fold (
		.clock(clock), .reset(reset), .step(step), .at(fold), .next(fold_next_unused), .last(fold_last));
	qcc_span #(.BEFORE(LEFT), .SIZE(W), .AFTER(RIGHT), .BITS(BITS)) columns (
		.clock(clock), .reset(reset), .step(step && fold_last), .inside_span(x_inside), .last(x_last));
	qcc_span #(.BEFORE(TOP), .SIZE(H), .AFTER(BOTTOM), .BITS(BITS)) rows (
		.clock(clock), .reset(reset), .step(step && fold_last && x_last), .inside_span(y_inside), .last(y_last_unused));
	wire unused = &{1'b0, fold};
endmodule
