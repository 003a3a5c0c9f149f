// Reads FOLD words of PE numbers, then writes the indices of the K largest, largest first; of equal ones the first.
module qcc_label #(
	parameter FOLD = 1,
	parameter PE = 1,
	parameter K = 1,
	parameter X_BITS = 1,
	parameter X_KIND = 0,
	parameter OUT_BITS = 1,
	parameter STEP_BITS = 1
) (
	input wire clock,
	input wire reset,
	input wire [PE*X_BITS-1:0] in_data,
	input wire in_valid,
	output wire in_ready,
	output wire [OUT_BITS-1:0] out_data,
	output wire out_valid,
	input wire out_ready
);
	localparam INDICES = OUT_BITS + 8;
	localparam NUMBER = X_BITS + 1;
	wire [STEP_BITS-1:0] at, next_unused;
	wire last_unused;
	wire reading = at < FOLD[STEP_BITS-1:0];
	wire step = reading ? in_valid : out_ready;
	assign in_ready = reading;
	assign out_valid = !reading;
	qcc_counter #(.N(FOLD + K), .BITS(STEP_BITS)) count (
		.clock(clock), .reset(reset), .step(step), .at(at), .next(next_unused), .last(last_unused));

	// The K largest so far, sorted; an entry is empty before as many elements were read.
	reg [K*NUMBER-1:0] best, new_best;
	reg [K*INDICES-1:0] index, new_index;
	reg [K-1:0] filled, new_filled;
	reg [INDICES-1:0] label;
	wire [PE*NUMBER-1:0] numbers;
	genvar e;
	generate
		for (e = 0; e < PE; e = e + 1) begin : element
			qcc_number #(.BITS(X_BITS), .KIND(X_KIND)) decode (
				.code(in_data[e*X_BITS +: X_BITS]), .number(numbers[e*NUMBER +: NUMBER]));
		end
	endgenerate
	reg [NUMBER-1:0] moving, other;
	reg [INDICES-1:0] moving_index, other_index;
	reg moves, other_filled;
	integer pe, k;
	always @* begin
		new_best = best;
		new_index = index;
		new_filled = filled;
		other = {NUMBER{1'b0}};
		other_index = {INDICES{1'b0}};
		other_filled = 1'b0;
		moving = {NUMBER{1'b0}};
		moving_index = label;
		moves = 1'b0;
		for (pe = 0; pe < PE; pe = pe + 1) begin
			moving = numbers[pe*NUMBER +: NUMBER];
			moving_index = label + pe[INDICES-1:0];
			moves = 1'b1;
			for (k = 0; k < K; k = k + 1) begin
				other = new_best[k*NUMBER +: NUMBER];
				other_index = new_index[k*INDICES +: INDICES];
				other_filled = new_filled[k];
				if (moves && (!other_filled || $signed(moving) > $signed(other))) begin
					new_best[k*NUMBER +: NUMBER] = moving;
					new_index[k*INDICES +: INDICES] = moving_index;
					new_filled[k] = 1'b1;
					moving = other;
					moving_index = other_index;
					moves = other_filled;
				end
			end
		end
	end
	always @(posedge clock)
		if (reset) begin
			filled <= {K{1'b0}};
			label <= {INDICES{1'b0}};
		end else if (step) begin
			filled <= reading ? new_filled : {K{1'b0}};
			label <= reading ? label + PE[INDICES-1:0] : {INDICES{1'b0}};
		end
	always @(posedge clock)
		if (step && reading) begin
			best <= new_best;
			index <= new_index;
		end else if (step) begin
			index <= index >> INDICES;
		end
	assign out_data = index[OUT_BITS-1:0];
endmodule
