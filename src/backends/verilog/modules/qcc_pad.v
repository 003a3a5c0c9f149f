// Zeros around an image of H x W pixels of FOLD words, and between its pixels so that they lie STRIDE apart.
module qcc_pad #(
	parameter WIDTH = 1,
	parameter FOLD = 1,
	parameter H = 1,
	parameter W = 1,
	parameter TOP = 0,
	parameter LEFT = 0,
	parameter BOTTOM = 0,
	parameter RIGHT = 0,
	parameter STRIDE_H = 1,
	parameter STRIDE_W = 1,
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
	// Rows and columns are counted from the border: before the image, tile by tile in it, and behind it.
	localparam HEIGHT = (H - 1) * STRIDE_H + 1;
	localparam WIDE = (W - 1) * STRIDE_W + 1;
	wire [BITS-1:0] fold, fold_next_unused;
	wire fold_last, x_last, y_last_unused, x_inside, y_inside;
	wire step = out_valid && out_ready;
	wire inside_image = x_inside && y_inside;
	assign out_valid = in_valid || !inside_image;
	assign in_ready = inside_image && out_ready;
	assign out_data = inside_image ? in_data : {WIDTH{1'b0}};
	qcc_counter #(.N(FOLD), .BITS(BITS)) count_fold (
		.clock(clock), .reset(reset), .step(step), .at(fold), .next(fold_next_unused), .last(fold_last));
	qcc_span #(.BEFORE(LEFT), .SIZE(WIDE), .AFTER(RIGHT), .STRIDE(STRIDE_W), .BITS(BITS)) columns (
		.clock(clock), .reset(reset), .step(step && fold_last), .inside_span(x_inside), .last(x_last));
	qcc_span #(.BEFORE(TOP), .SIZE(HEIGHT), .AFTER(BOTTOM), .STRIDE(STRIDE_H), .BITS(BITS)) rows (
		.clock(clock), .reset(reset), .step(step && fold_last && x_last), .inside_span(y_inside), .last(y_last_unused));
	wire unused = &{1'b0, fold};
endmodule
