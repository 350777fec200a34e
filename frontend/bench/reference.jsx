/** React Flow with nodes as DOM, cables as SVG, labels and packets on one overlay canvas: the "hybrid". */
import { BaseEdge, Handle, Position, ReactFlow, useEdgesState, useNodesState } from "@xyflow/react";
import "@xyflow/react/dist/style.css";
import "./reference.css";
import { memo } from "react";
import { createRoot } from "react-dom/client";
import * as bench from "./topology";

const SIZE = 48;
const COLORS = { host: "#2456d6", router: "#7c3aed", switch: "#0f766e" };
const PACKET_COLORS = {
  TCP: "#2456d6",
  ICMP: "#7c3aed",
  ARP: "#b45309",
  UDP: "#0f766e",
  DNS: "#15803d",
};

const NodeBox = memo(({ data }) => (
  <div className="node" style={{ background: COLORS[data.kind] }}>
    <Handle type="target" position={Position.Top} className="port" />
    <Handle type="source" position={Position.Top} className="port" />
    <svg width="22" height="22" viewBox="0 0 24 24" fill="none" stroke="#fff" strokeWidth="2">
      <title>{data.kind}</title>
      <rect x="3" y="6" width="18" height="12" rx="2" />
      <path d="M7 10h6M7 14h10" />
    </svg>
    <span>{data.name}</span>
  </div>
));

const Cable = memo(({ id, sourceX, sourceY, targetX, targetY }) => (
  <BaseEdge id={id} path={`M${sourceX} ${sourceY}L${targetX} ${targetY}`} />
));

const port = { position: "top", x: SIZE / 2, y: SIZE / 2, width: 1, height: 1 };
const NODE_TYPES = { box: NodeBox };
const EDGE_TYPES = { cable: Cable };
const firstNodes = bench.nodes.map(({ id, kind, name, x, y }) => ({
  id,
  type: "box",
  position: { x: x - SIZE / 2, y: y - SIZE / 2 },
  width: SIZE,
  height: SIZE,
  data: { kind, name },
  handles: [
    { type: "source", ...port },
    { type: "target", ...port },
  ],
}));
const firstEdges = bench.links.map(({ id, a, b }) => ({
  id,
  type: "cable",
  source: `n${a}`,
  target: `n${b}`,
}));

let flow = null;
const view = () => flow?.getViewport() ?? { x: 0, y: 0, zoom: 1 };

function follow(changes) {
  for (const { type, id, position } of changes) {
    if (type !== "position" || !position) continue;
    const node = bench.nodes[Number(id.slice(1))];
    Object.assign(node, { x: position.x + SIZE / 2, y: position.y + SIZE / 2 });
  }
}

function App() {
  const [nodes, , changeNodes] = useNodesState(firstNodes);
  const [edges, , changeEdges] = useEdgesState(firstEdges);
  return (
    <ReactFlow
      nodes={nodes}
      edges={edges}
      onNodesChange={(changes) => {
        follow(changes);
        changeNodes(changes);
      }}
      onEdgesChange={changeEdges}
      nodeTypes={NODE_TYPES}
      edgeTypes={EDGE_TYPES}
      fitView
      minZoom={0.05}
      maxZoom={4}
      elevateNodesOnSelect={false}
      selectNodesOnDrag={false}
      proOptions={{ hideAttribution: true }}
      onInit={(instance) => {
        flow = instance;
        window.ready = true;
      }}
    />
  );
}

const canvas = document.createElement("canvas");
canvas.className = "overlay";
canvas.width = innerWidth * devicePixelRatio;
canvas.height = innerHeight * devicePixelRatio;
document.body.append(canvas);
const pen = canvas.getContext("2d");

function onScreen({ x, y, zoom }, link, t) {
  const a = bench.nodes[link.a];
  const b = bench.nodes[link.b];
  return [(a.x + (b.x - a.x) * t) * zoom + x, (a.y + (b.y - a.y) * t) * zoom + y];
}

function outside(x, y, margin) {
  return x < -margin || y < -margin || x > innerWidth + margin || y > innerHeight + margin;
}

function drawLabels(at) {
  pen.font = "11px sans-serif";
  pen.textAlign = "center";
  for (const link of bench.links) {
    const [x, y] = onScreen(at, link, 0.5);
    if (outside(x, y, 40)) continue;
    pen.fillStyle = "#ffffffdd";
    pen.fillRect(x - 31, y - 8, 62, 16);
    pen.fillStyle = "#334155";
    pen.fillText(bench.rateLabel(link.rate), x, y + 4);
  }
}

function drawPackets(at) {
  const radius = Math.max(2.2, 4 * at.zoom);
  for (const packet of bench.packets) {
    const [x, y] = onScreen(at, bench.links[packet.link], packet.forward ? packet.t : 1 - packet.t);
    if (outside(x, y, 5)) continue;
    pen.fillStyle = PACKET_COLORS[packet.protocol];
    pen.beginPath();
    pen.arc(x, y, radius, 0, 2 * Math.PI);
    pen.fill();
  }
}

let last = performance.now();
function frame(time) {
  const seconds = Math.min(0.1, (time - last) / 1000);
  last = time;
  for (const packet of bench.packets) {
    packet.t += packet.speed * seconds;
    if (packet.t >= 1) bench.turn(packet);
  }
  const at = view();
  pen.setTransform(devicePixelRatio, 0, 0, devicePixelRatio, 0, 0);
  pen.clearRect(0, 0, innerWidth, innerHeight);
  if (at.zoom > 0.45) drawLabels(at);
  drawPackets(at);
  requestAnimationFrame(frame);
}
requestAnimationFrame(frame);

createRoot(document.getElementById("host")).render(<App />);
bench.everyRate(() => {});
bench.recordFrames();
window.nodeAt = (index) => {
  const { x, y, zoom } = view();
  const node = bench.nodes[index];
  return { x: node.x * zoom + x, y: node.y * zoom + y };
};
