// Maxima of windows of KH x KW pixels that tile the image; what reaches beyond the last whole window is left out. A pixel has
// FOLD words of N elements.
module qcc_max_pool #(
	parameter N = 1,
	parameter FOLD = 1,
	parameter H = 1,
	parameter W = 1,
	parameter KH = 1,
	parameter KW = 1,
	parameter X_BITS = 1,
	parameter X_KIND = 0,
	parameter BITS = 8,
	parameter LINE_BITS = 1
) (
	input wire clock,
	input wire reset,
	input wire [N*X_BITS-1:0] in_data,
	input wire in_valid,
	output wire in_ready,
	output wire [N*X_BITS-1:0] out_data,
	output wire out_valid,
	input wire out_ready
);
	localparam OUT_H = H / KH;
	localparam OUT_W = W / KW;
	localparam LINE = OUT_W * FOLD;
	localparam LAST_X = KW - 1;
	localparam LAST_Y = KH - 1;
	localparam SIZE = FOLD;
	reg [N*X_BITS-1:0] best [0:LINE-1];
	wire [BITS-1:0] fold, fold_next_unused, x, y, x_phase, y_phase;
	wire fold_last, x_last, y_last_unused;
	wire inside_image = x < OUT_W[BITS-1:0] && y < OUT_H[BITS-1:0];
	wire fresh = x_phase == {BITS{1'b0}} && y_phase == {BITS{1'b0}};
	wire ends = inside_image && x_phase == LAST_X[BITS-1:0] && y_phase == LAST_Y[BITS-1:0];
	wire step = in_valid && in_ready;
	wire [2*BITS-1:0] wide = {{BITS{1'b0}}, x} * {{BITS{1'b0}}, SIZE[BITS-1:0]} + {{BITS{1'b0}}, fold};
	wire [LINE_BITS-1:0] at = wide[LINE_BITS-1:0];
	wire [N*X_BITS-1:0] larger, now;
	assign in_ready = out_ready || !ends;
	assign out_valid = in_valid && ends;
	assign now = fresh ? in_data : larger;
	assign out_data = now;
	qcc_larger #(.N(N), .X_BITS(X_BITS), .X_KIND(X_KIND)) choose (.a(in_data), .b(best[at]), .larger(larger));
	always @(posedge clock)
		if (step && inside_image)
			best[at] <= now;
	qcc_counter #(.N(FOLD), .BITS(BITS)) count_fold (
		.clock(clock), .reset(reset), .step(step), .at(fold), .next(fold_next_unused), .last(fold_last));
	qcc_tiles #(.SIZE(W), .N(KW), .BITS(BITS)) columns (
		.clock(clock), .reset(reset), .step(step && fold_last), .tile(x), .phase(x_phase), .last(x_last));
	qcc_tiles #(.SIZE(H), .N(KH), .BITS(BITS)) rows (
		.clock(clock), .reset(reset), .step(step && fold_last && x_last), .tile(y), .phase(y_phase),
		.last(y_last_unused));
	wire unused = &{1'b0, wide};
endmodule
