// A sliding window with a whole window a word: lines and a window of registers, a pixel (a word) a cycle.
module qcc_window_parallel #(
	parameter WIDTH = 1,
	parameter KH = 1,
	parameter KW = 1,
	parameter H = 1,
	parameter W = 1,
	parameter SH = 1,
	parameter SW = 1,
	parameter DH = 1,
	parameter DW = 1,
	parameter BITS = 8,
	parameter X_BITS = 1
) (
	input wire clock,
	input wire reset,
	input wire [WIDTH-1:0] in_data,
	input wire in_valid,
	output wire in_ready,
	output wire [KH*KW*WIDTH-1:0] out_data,
	output wire out_valid,
	input wire out_ready
);
	localparam ROWS = (KH - 1) * DH;
	localparam SPAN = (KW - 1) * DW + 1;
	localparam BEFORE = SPAN - 1;
	wire x_on, y_on, x_last, y_last_unused;
	wire [BITS-1:0] at, at_next_unused;
	wire at_last_unused;
	wire writes = x_on && y_on;
	wire step = in_valid && in_ready;
	assign in_ready = out_ready || !writes;
	assign out_valid = in_valid && writes;
	qcc_counter #(.N(W), .BITS(BITS)) count (
		.clock(clock), .reset(reset), .step(step), .at(at), .next(at_next_unused), .last(at_last_unused));
	qcc_span #(.BEFORE(BEFORE), .SIZE(W - BEFORE), .AFTER(0), .STRIDE(SW), .BITS(BITS)) columns (
		.clock(clock), .reset(reset), .step(step), .inside_span(x_on), .last(x_last));
	qcc_span #(.BEFORE(ROWS), .SIZE(H - ROWS), .AFTER(0), .STRIDE(SH), .BITS(BITS)) rows (
		.clock(clock), .reset(reset), .step(step && x_last), .inside_span(y_on), .last(y_last_unused));

	// The column of pixels that the new one ends, row by row, and the windows' columns before it.
	wire [(ROWS+1)*WIDTH-1:0] column;
	assign column[ROWS*WIDTH +: WIDTH] = in_data;
	generate
		if (ROWS > 0) begin : lines
			reg [ROWS*WIDTH-1:0] memory [0:W-1];
			assign column[ROWS*WIDTH-1:0] = memory[at[X_BITS-1:0]];
			always @(posedge clock)
				if (step)
					memory[at[X_BITS-1:0]] <= column[(ROWS+1)*WIDTH-1:WIDTH];
		end
	endgenerate
	wire unused = &{1'b0, at, column};
	genvar ky, kx;
	generate
		for (ky = 0; ky < KH; ky = ky + 1) begin : window_row
			wire [SPAN*WIDTH-1:0] pixels;
			assign pixels[(SPAN-1)*WIDTH +: WIDTH] = column[ky*DH*WIDTH +: WIDTH];
			if (SPAN > 1) begin : before
				reg [(SPAN-1)*WIDTH-1:0] held;
				assign pixels[(SPAN-1)*WIDTH-1:0] = held;
				always @(posedge clock)
					if (step)
						held <= pixels[SPAN*WIDTH-1:WIDTH];
			end
			for (kx = 0; kx < KW; kx = kx + 1) begin : position
				assign out_data[(ky*KW+kx)*WIDTH +: WIDTH] = pixels[kx*DW*WIDTH +: WIDTH];
			end
		end
	endgenerate
endmodule
