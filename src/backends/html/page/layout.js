/* A layered layout: nodes in ranks along the flow of data, ordered so that few edges cross, placed so that edges are
 * straight where they can be. Linear in nodes and edges but for sorting within ranks.
 *
 * items: [{key, width, height, above (room in front of it)}] in topological order; edges: [{from, to}] by place in items. Sets item.x, item.y (of the
 * middle) and edge.points; returns {width, height}. */
const RANK_GAP = 34, SIDE_GAP = 104, NODE_GAP = 26, EDGE_GAP = 14, SWEEPS = 6, MOST_SWEEPS = 40;

function layout(items, edges, sideways) {
	const graph = makeRanks(items, edges);
	orderRanks(graph);
	placeAcross(graph, sideways);
	return placeAlong(graph, items, edges, sideways);
}

/* Longest paths; nodes that read nothing move down to their first reader. */
function rankItems(items, edges) {
	const rank = new Array(items.length).fill(0), first = new Array(items.length).fill(Infinity);
	const isRoot = new Array(items.length).fill(true);
	for (const e of edges)
		isRoot[e.to] = false;
	const byFrom = items.map(() => []);
	for (const e of edges)
		byFrom[e.from].push(e.to);
	for (let i = 0; i < items.length; i++)
		for (const to of byFrom[i])
			rank[to] = Math.max(rank[to], rank[i] + 1);
	for (const e of edges)
		first[e.from] = Math.min(first[e.from], rank[e.to]);
	for (let i = 0; i < items.length; i++)
		if (isRoot[i] && first[i] !== Infinity)
			rank[i] = first[i] - 1;
	return rank;
}

/* Vertices are items and, where an edge passes ranks, one of no size in each. */
function makeRanks(items, edges) {
	const rank = rankItems(items, edges), ranks = [];
	const add = (vertex, at) => {
		(ranks[at] = ranks[at] || []).push(vertex);
		vertex.up = [];
		vertex.down = [];
		vertex.rank = at;
		return vertex;
	};
	const vertices = items.map((item, i) => add({ item, width: item.width }, rank[i]));
	for (const e of edges) {
		let before = vertices[e.from];
		e.path = [before];
		for (let at = rank[e.from] + 1; at <= rank[e.to]; at++) {
			const next = at === rank[e.to] ? vertices[e.to] : add({ item: null, width: 0 }, at);
			before.down.push(next);
			next.up.push(before);
			e.path.push(next);
			before = next;
		}
	}
	for (let i = 0; i < ranks.length; i++)
		ranks[i] = ranks[i] || [];
	return { ranks, vertices };
}

function setPlaces(rank) {
	rank.forEach((v, i) => { v.place = i; });
}

/* Each vertex goes to the mean place of its neighbours in the rank before. */
function sortRank(rank, side) {
	if (rank.length < 2)
		return;
	for (const v of rank) {
		const others = v[side];
		v.wish = others.length ? others.reduce((sum, o) => sum + o.place, 0) / others.length : v.place;
	}
	rank.sort((a, b) => a.wish - b.wish || a.place - b.place);
	setPlaces(rank);
}

function orderRanks(graph) {
	graph.ranks.forEach(setPlaces);
	for (let sweep = 0; sweep < SWEEPS; sweep++) {
		for (let i = 1; i < graph.ranks.length; i++)
			sortRank(graph.ranks[i], "up");
		for (let i = graph.ranks.length - 2; i >= 0; i--)
			sortRank(graph.ranks[i], "down");
	}
}

function gapBetween(a, b, size) {
	return (size(a) + size(b)) / 2 + (a.item && b.item ? NODE_GAP : EDGE_GAP);
}

/* Positions nearest to the wishes (least squares) that keep order and distance: pools of vertices that touch move as one. */
function spread(rank, size) {
	const pools = [];
	let offset = 0;
	rank.forEach((v, i) => {
		offset += i ? gapBetween(rank[i - 1], v, size) : 0;
		v.offset = offset;
		const weight = v.item ? 1 : 4;
		let pool = { sum: weight * (v.wish - offset), weight, count: 1 };
		while (pools.length && pools[pools.length - 1].sum / pools[pools.length - 1].weight > pool.sum / pool.weight) {
			const before = pools.pop();
			pool = { sum: before.sum + pool.sum, weight: before.weight + pool.weight, count: before.count + pool.count };
		}
		pools.push(pool);
	});
	let at = 0;
	for (const pool of pools)
		for (let k = 0; k < pool.count; k++, at++)
			rank[at].across = rank[at].offset + pool.sum / pool.weight;
}

function placeAcross(graph, sideways) {
	const size = v => v.item ? (sideways ? v.item.height : v.item.width) : 0;
	for (const rank of graph.ranks) {
		rank.forEach(v => { v.wish = 0; });
		spread(rank, size);
	}
	const settle = (rank, sides) => {
		for (const v of rank) {
			let sum = 0, weight = 0;
			for (const side of sides)
				for (const o of v[side]) {
					const pull = v.item && !o.item ? 0.1 : 1; /* what goes straight stays straight beside a bypass */
					sum += pull * o.across;
					weight += pull;
				}
			v.wish = weight ? sum / weight : v.across;
		}
		spread(rank, size);
	};
	const vertices = graph.ranks.reduce((sum, rank) => sum + rank.length, 0);
	const sweeps = Math.min(MOST_SWEEPS, Math.max(SWEEPS, Math.floor(20000 / vertices)));
	for (let sweep = 0; sweep < sweeps; sweep++) {
		graph.ranks.forEach(rank => settle(rank, ["up"]));
		for (let i = graph.ranks.length - 1; i >= 0; i--)
			settle(graph.ranks[i], sweep + 1 < sweeps ? ["down"] : ["up", "down"]);
	}
}

function placeAlong(graph, items, edges, sideways) {
	const gap = sideways ? SIDE_GAP : RANK_GAP; /* along the flow, edges have labels beside or above them */
	let along = 0, least = Infinity, most = -Infinity;
	for (const rank of graph.ranks) {
		const depth = rank.reduce((d, v) => Math.max(d, v.item ? (sideways ? v.item.width : v.item.height) : 0), 0);
		along += sideways ? 0 : rank.reduce((d, v) => Math.max(d, v.item && v.item.above || 0), 0);
		for (const v of rank) {
			v.along = along + depth / 2;
			const half = v.item ? (sideways ? v.item.height : v.item.width) / 2 : 0;
			least = Math.min(least, v.across - half);
			most = Math.max(most, v.across + half);
		}
		along += depth + gap;
	}
	const point = (across, at) => sideways ? [at, across - least] : [across - least, at];
	graph.vertices.forEach(v => { [v.item.x, v.item.y] = point(v.across, v.along); });
	for (const e of edges)
		e.points = routeOf(e.path, point, sideways);
	const size = [items.length ? most - least : 0, Math.max(along - gap, 0)];
	return sideways ? { width: size[1], height: size[0] } : { width: size[0], height: size[1] };
}

/* From the lower side of the first to the upper side of the last. */
function routeOf(path, point, sideways) {
	const first = path[0], last = path[path.length - 1];
	const half = v => (sideways ? v.item.width : v.item.height) / 2;
	const points = [point(first.across, first.along + half(first))];
	for (const v of path.slice(1, -1))
		points.push(point(v.across, v.along));
	points.push(point(last.across, last.along - half(last)));
	return points;
}

/* A smooth path that leaves and arrives along the flow. */
function pathText(points, sideways) {
	const r = x => Math.round(x * 10) / 10;
	let text = `M${r(points[0][0])},${r(points[0][1])}`;
	for (let i = 1; i < points.length; i++) {
		const [x0, y0] = points[i - 1], [x1, y1] = points[i];
		if (sideways ? y0 === y1 : x0 === x1)
			text += `L${r(x1)},${r(y1)}`;
		else if (sideways)
			text += `C${r((x0 + x1) / 2)},${r(y0)},${r((x0 + x1) / 2)},${r(y1)},${r(x1)},${r(y1)}`;
		else
			text += `C${r(x0)},${r((y0 + y1) / 2)},${r(x1)},${r((y0 + y1) / 2)},${r(x1)},${r(y1)}`;
	}
	return text;
}

/* The head of an arrow at the end. */
function arrowText(points, sideways) {
	const [x, y] = points[points.length - 1].map(v => Math.round(v * 10) / 10);
	return sideways ? `M${x},${y}l-7,-3.5v7z` : `M${x},${y}l-3.5,-7h7z`;
}
