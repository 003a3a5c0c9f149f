// A sliding window: for each output pixel the words of its kernel positions. Rows lie in a ring of LINES lines of LINE words,
// the window's rows and SH more, so that while one row of windows is written the next input rows are read. DEPTHWISE: all
// kernel positions of a word's channels before the next channels.
module qcc_window #(
	parameter WIDTH = 1,
	parameter FOLD = 1, // words of a pixel
	parameter KH = 1,
	parameter KW = 1,
	parameter H = 1,
	parameter W = 1,
	parameter OH = 1,
	parameter OW = 1,
	parameter SH = 1,
	parameter SW = 1,
	parameter DH = 1,
	parameter DW = 1,
	parameter DEPTHWISE = 0,
	parameter LINES = 2,
	parameter BITS = 8, // of the counters
	parameter ADDRESS_BITS = 8
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
	localparam LINE = W * FOLD;
	localparam FILL = ((KH - 1) * DH + 1) * LINE;
	localparam WRITES = OW * KH * KW * FOLD;
	localparam READS = SH * LINE;
	localparam ROW = WRITES > READS ? WRITES : READS;
	localparam SIZE = LINES * LINE;
	localparam ALL = H * LINE;
	localparam LEFT = ALL - FILL - OH * READS; // words that no window reaches
	// Distances in the ring between words that follow each other, modulo its size.
	localparam NEXT_X = DW * FOLD;
	localparam NEXT_Y = DH * LINE;
	localparam NEXT_OX = SW * FOLD;
	localparam END_FOLD = FOLD - 1;
	localparam END_KX = KW - 1;
	localparam END_KY = KH - 1;
	localparam END_ROW = ROW - 1;
	localparam END_FILL = FILL - 1;
	localparam END_OY = OH - 1;
	localparam END_LEFT = LEFT > 0 ? LEFT - 1 : 0;
	localparam WRITTEN = WRITES - 1;
	localparam READS_STEP = READS % SIZE;
	localparam ONE = 1;
	localparam [1:0] FILLING = 2'd0, ROWS = 2'd1, DRAINING = 2'd2;

	reg [WIDTH-1:0] memory [0:SIZE-1];
	reg [WIDTH-1:0] word; // at `from`
	reg [1:0] phase;
	reg [BITS-1:0] at; // step of the phase, or of a row of windows
	reg [BITS-1:0] oy, fold, kx, ky;
	reg [BITS-1:0] taken; // words of this frame that were read
	reg [ADDRESS_BITS-1:0] to, from;
	reg [ADDRESS_BITS-1:0] row, pixel, line, spot; // begin of the row of windows, the window, its line, its pixel
	wire writes = phase == ROWS && at < WRITES[BITS-1:0];
	wire reads = phase != ROWS || (at < READS[BITS-1:0] && taken != ALL[BITS-1:0]);
	wire step = (in_valid || !reads) && (out_ready || !writes);
	wire read = step && reads, write = step && writes;
	assign in_ready = reads && (out_ready || !writes);
	assign out_valid = writes && (in_valid || !reads);
	assign out_data = word;

	function [ADDRESS_BITS-1:0] after; // so many words further in the ring
		input [ADDRESS_BITS-1:0] place;
		input [ADDRESS_BITS-1:0] distance;
		reg [ADDRESS_BITS:0] sum;
		begin
			sum = {1'b0, place} + {1'b0, distance};
			if (sum >= SIZE[ADDRESS_BITS:0])
				sum = sum - SIZE[ADDRESS_BITS:0];
			after = sum[ADDRESS_BITS-1:0];
		end
	endfunction

	// The next word to write.
	wire fold_last = fold == END_FOLD[BITS-1:0], kx_last = kx == END_KX[BITS-1:0], ky_last = ky == END_KY[BITS-1:0];
	wire row_last = at == END_ROW[BITS-1:0];
	wire step_kx = DEPTHWISE != 0 || fold_last;
	wire step_ky = step_kx && kx_last;
	wire step_window = step_ky && ky_last && (DEPTHWISE == 0 || fold_last);
	wire [ADDRESS_BITS-1:0] next_row = after(row, READS_STEP[ADDRESS_BITS-1:0]);
	wire [ADDRESS_BITS-1:0] next_pixel = after(pixel, NEXT_OX[ADDRESS_BITS-1:0]);
	wire [ADDRESS_BITS-1:0] next_spot = after(spot, NEXT_X[ADDRESS_BITS-1:0]);
	wire [ADDRESS_BITS-1:0] next_line = after(line, NEXT_Y[ADDRESS_BITS-1:0]);
	reg [ADDRESS_BITS-1:0] new_from, new_line, new_pixel, new_spot;
	reg [BITS-1:0] new_fold, new_kx, new_ky;
	always @* begin
		new_fold = fold;
		new_kx = kx;
		new_ky = ky;
		new_from = from;
		new_line = line;
		new_pixel = pixel;
		new_spot = spot;
		if (step && phase == ROWS && row_last) begin
			new_fold = {BITS{1'b0}};
			new_kx = {BITS{1'b0}};
			new_ky = {BITS{1'b0}};
			new_from = next_row;
			new_line = next_row;
			new_pixel = next_row;
			new_spot = next_row;
		end else if (write && at != WRITTEN[BITS-1:0]) begin
			if (DEPTHWISE == 0)
				new_fold = fold_last ? {BITS{1'b0}} : fold + 1'b1;
			else if (step_ky && ky_last)
				new_fold = fold_last ? {BITS{1'b0}} : fold + 1'b1;
			if (step_kx)
				new_kx = kx_last ? {BITS{1'b0}} : kx + 1'b1;
			if (step_ky)
				new_ky = ky_last ? {BITS{1'b0}} : ky + 1'b1;
			if (step_window) begin
				new_pixel = next_pixel;
				new_line = next_pixel;
			end else if (step_ky && ky_last) begin
				new_line = pixel;
			end else if (step_ky) begin
				new_line = next_line;
			end
			if (step_ky)
				new_spot = new_line;
			else if (step_kx)
				new_spot = next_spot;
			new_from = after(new_spot, new_fold[ADDRESS_BITS-1:0]);
		end
	end

	always @(posedge clock) begin
		if (read)
			memory[to] <= in_data;
		word <= read && to == new_from ? in_data : memory[new_from];
		if (reset) begin
			phase <= FILLING;
			at <= {BITS{1'b0}};
			oy <= {BITS{1'b0}};
			taken <= {BITS{1'b0}};
			to <= {ADDRESS_BITS{1'b0}};
			from <= {ADDRESS_BITS{1'b0}};
			row <= {ADDRESS_BITS{1'b0}};
			line <= {ADDRESS_BITS{1'b0}};
			pixel <= {ADDRESS_BITS{1'b0}};
			spot <= {ADDRESS_BITS{1'b0}};
			fold <= {BITS{1'b0}};
			kx <= {BITS{1'b0}};
			ky <= {BITS{1'b0}};
		end else begin
			from <= new_from;
			line <= new_line;
			pixel <= new_pixel;
			spot <= new_spot;
			fold <= new_fold;
			kx <= new_kx;
			ky <= new_ky;
			if (step)
				at <= at + 1'b1;
			if (read) begin
				to <= after(to, ONE[ADDRESS_BITS-1:0]);
				taken <= taken + 1'b1;
			end
			if (step && phase == FILLING && at == END_FILL[BITS-1:0]) begin
				phase <= ROWS;
				at <= {BITS{1'b0}};
			end
			if (step && phase == ROWS && row_last) begin
				at <= {BITS{1'b0}};
				row <= next_row;
				oy <= oy + 1'b1;
			end
			if (step && ((phase == ROWS && row_last && oy == END_OY[BITS-1:0] && LEFT <= 0) ||
				     (phase == DRAINING && at == END_LEFT[BITS-1:0]))) begin
				// The next frame begins at the ring's first word.
				phase <= FILLING;
				at <= {BITS{1'b0}};
				oy <= {BITS{1'b0}};
				taken <= {BITS{1'b0}};
				to <= {ADDRESS_BITS{1'b0}};
				from <= {ADDRESS_BITS{1'b0}};
				row <= {ADDRESS_BITS{1'b0}};
				line <= {ADDRESS_BITS{1'b0}};
				pixel <= {ADDRESS_BITS{1'b0}};
				spot <= {ADDRESS_BITS{1'b0}};
			end else if (step && phase == ROWS && row_last && oy == END_OY[BITS-1:0]) begin
				phase <= DRAINING;
				at <= {BITS{1'b0}};
			end
		end
	end
endmodule
