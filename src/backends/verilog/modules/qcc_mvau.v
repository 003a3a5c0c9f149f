// A matrix-vector unit: PE outputs at a time from SIMD inputs at a time, with thresholds or (STEPS 0) without. The vector is
// read with the first PE outputs and kept for the others; DEPTHWISE: an input word holds SIMD kernel positions of PE
// channels, which are not kept. One step a cycle; stages: read weights, (where SIMD is large) hold them in registers, add
// GROUP products each, accumulate, activate.
module qcc_mvau #(
	parameter SF = 1, // input words of a vector
	parameter NF = 1, // output words of a vector
	parameter PE = 1,
	parameter SIMD = 1,
	parameter DEPTHWISE = 0,
	parameter X_BITS = 1,
	parameter X_KIND = 0,
	parameter W_BITS = 1,
	parameter W_KIND = 0,
	parameter COUNT = 0, // bipolar times bipolar: count equal bits
	parameter BITS = 8, // of accumulators and thresholds
	parameter STEPS = 1,
	parameter OUT_BITS = 1,
	parameter OUT_KIND = 0,
	parameter BASE = 0,
	parameter SF_BITS = 1,
	parameter NF_BITS = 1,
	parameter ADDRESS_BITS = 1,
	parameter WEIGHTS = "weights.hex",
	parameter THRESHOLDS = "thresholds.hex",
	parameter IN_WIDTH = 1,
	parameter GROUP = 12
) (
	input wire clock,
	input wire reset,
	input wire [IN_WIDTH-1:0] in_data,
	input wire in_valid,
	output wire in_ready,
	output wire [PE*OUT_BITS-1:0] out_data,
	output wire out_valid,
	input wire out_ready
);
	localparam GROUPS = (SIMD + GROUP - 1) / GROUP;
	localparam KEEPS = DEPTHWISE == 0 && NF > 1;
	localparam HOLDS = SIMD > 4; // a memory's access time and a tree of adders do not fit one fast cycle
	reg [3:0] valid; // of the stages
	reg [1:0] last;
	reg first, first_sum;
	wire held_valid, held_last, held_first; // of stage 0, or of the registers behind it
	wire move = !valid[3] || out_ready;

	// Where in the vector.
	wire [SF_BITS-1:0] sf, sf_next_unused;
	wire [NF_BITS-1:0] nf, nf_next_unused;
	wire [ADDRESS_BITS-1:0] address, address_next_unused;
	wire sf_last, nf_last_unused, address_last_unused;
	wire reads = !KEEPS || nf == {NF_BITS{1'b0}};
	wire step = move && (in_valid || !reads);
	assign in_ready = move && reads;
	qcc_counter #(.N(SF), .BITS(SF_BITS)) count_sf (
		.clock(clock), .reset(reset), .step(step), .at(sf), .next(sf_next_unused), .last(sf_last));
	qcc_counter #(.N(NF), .BITS(NF_BITS)) count_nf (
		.clock(clock), .reset(reset), .step(step && sf_last), .at(nf), .next(nf_next_unused), .last(nf_last_unused));
	qcc_counter #(.N(SF * NF), .BITS(ADDRESS_BITS)) count_address (
		.clock(clock), .reset(reset), .step(step), .at(address), .next(address_next_unused), .last(address_last_unused));

	// Stage 0: the weights, and the inputs from outside or as they were kept.
	wire [PE*SIMD*W_BITS-1:0] read_weights, weights;
	wire [IN_WIDTH-1:0] read_x, x;
	qcc_rom #(.WIDTH(PE * SIMD * W_BITS), .WORDS(SF * NF), .BITS(ADDRESS_BITS), .FILE(WEIGHTS)) weight_rom (
		.clock(clock), .read(step), .address(address), .data(read_weights));
	reg [IN_WIDTH-1:0] fresh;
	always @(posedge clock)
		if (step)
			fresh <= in_data;
	generate
		if (KEEPS) begin : keep
			reg [IN_WIDTH-1:0] memory [0:SF-1];
			reg [IN_WIDTH-1:0] kept;
			reg is_fresh;
			always @(posedge clock)
				if (step) begin
					if (reads)
						memory[sf] <= in_data;
					kept <= memory[sf];
					is_fresh <= reads;
				end
			assign read_x = is_fresh ? fresh : kept;
		end else begin : pass
			assign read_x = fresh;
		end
	endgenerate

	generate
		if (HOLDS) begin : hold
			reg [PE*SIMD*W_BITS-1:0] weights_register;
			reg [IN_WIDTH-1:0] x_register;
			reg valid_register, last_register, first_register;
			always @(posedge clock) begin
				if (reset)
					valid_register <= 1'b0;
				else if (move)
					valid_register <= valid[0];
				if (move) begin
					weights_register <= read_weights;
					x_register <= read_x;
					last_register <= last[0];
					first_register <= first;
				end
			end
			assign weights = weights_register, x = x_register;
			assign held_valid = valid_register, held_last = last_register, held_first = first_register;
		end else begin : at_once
			assign weights = read_weights, x = read_x;
			assign held_valid = valid[0], held_last = last[0], held_first = first;
		end
	endgenerate

	// Stages 1 and 2: sums of groups of products, accumulators.
	reg [PE*BITS-1:0] accumulators;
	genvar pe, s, g;
	generate
		for (pe = 0; pe < PE; pe = pe + 1) begin : element
			wire [SIMD*X_BITS-1:0] mine;
			for (s = 0; s < SIMD; s = s + 1) begin : choose
				if (DEPTHWISE != 0) begin : channel
					assign mine[s*X_BITS +: X_BITS] = x[(s*PE+pe)*X_BITS +: X_BITS];
				end else begin : all
					assign mine[s*X_BITS +: X_BITS] = x[s*X_BITS +: X_BITS];
				end
			end
			reg [GROUPS*BITS-1:0] sums;
			for (g = 0; g < GROUPS; g = g + 1) begin : group
				localparam N = SIMD - g * GROUP < GROUP ? SIMD - g * GROUP : GROUP;
				wire [BITS-1:0] new_sum;
				qcc_dot #(.N(N), .X_BITS(X_BITS), .X_KIND(X_KIND), .W_BITS(W_BITS), .W_KIND(W_KIND), .COUNT(COUNT),
					.BITS(BITS)) dot (
					.x(mine[g*GROUP*X_BITS +: N*X_BITS]),
					.w(weights[(pe*SIMD+g*GROUP)*W_BITS +: N*W_BITS]), .sum(new_sum));
				always @(posedge clock)
					if (move)
						sums[g*BITS +: BITS] <= new_sum;
			end
			reg [BITS-1:0] total;
			integer k;
			always @* begin
				total = first_sum ? {BITS{1'b0}} : accumulators[pe*BITS +: BITS];
				for (k = 0; k < GROUPS; k = k + 1)
					total = total + sums[k*BITS +: BITS];
			end
			always @(posedge clock)
				if (move && valid[1])
					accumulators[pe*BITS +: BITS] <= total;
		end
	endgenerate
	always @(posedge clock)
		if (reset)
			valid <= 4'd0;
		else if (move)
			valid <= {valid[2], valid[1] && last[1], held_valid, step};
	always @(posedge clock)
		if (move) begin
			last <= {held_last, sf_last};
			first <= sf == {SF_BITS{1'b0}};
			first_sum <= held_first;
		end

	// Stage 3: activation.
	reg [PE*OUT_BITS-1:0] result;
	wire [PE*OUT_BITS-1:0] codes;
	generate
		if (STEPS > 0) begin : activation
			wire [NF_BITS-1:0] fold, fold_next_unused;
			wire fold_last_unused;
			wire [PE*STEPS*BITS-1:0] thresholds;
			qcc_counter #(.N(NF), .BITS(NF_BITS)) count_fold (
				.clock(clock), .reset(reset), .step(move && valid[1] && last[1]), .at(fold), .next(fold_next_unused),
				.last(fold_last_unused));
			qcc_rom #(.WIDTH(PE * STEPS * BITS), .WORDS(NF), .BITS(NF_BITS), .FILE(THRESHOLDS)) threshold_rom (
				.clock(clock), .read(move && valid[1] && last[1]), .address(fold), .data(thresholds));
			for (pe = 0; pe < PE; pe = pe + 1) begin : element
				qcc_activate #(.BITS(BITS), .STEPS(STEPS), .OUT_BITS(OUT_BITS), .BASE(BASE)) activate (
					.number(accumulators[pe*BITS +: BITS]), .thresholds(thresholds[pe*STEPS*BITS +: STEPS*BITS]),
					.code(codes[pe*OUT_BITS +: OUT_BITS]));
			end
		end else begin : identity
			for (pe = 0; pe < PE; pe = pe + 1) begin : element
				qcc_code #(.NUMBER(BITS), .BITS(OUT_BITS), .KIND(OUT_KIND)) encode (
					.number(accumulators[pe*BITS +: BITS]), .code(codes[pe*OUT_BITS +: OUT_BITS]));
			end
		end
	endgenerate
	always @(posedge clock)
		if (move)
			result <= codes;
	assign out_data = result;
	assign out_valid = valid[3];
endmodule
