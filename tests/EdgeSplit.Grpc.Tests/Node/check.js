// Standard clients against EdgeSplit: @grpc/grpc-js with the published .proto, and HTTP. Each check compares with the results
// of the unsplit model, given in the file named first.
'use strict';
const assert = require('node:assert');
const fs = require('node:fs');
const grpc = require('@grpc/grpc-js');
const loader = require('@grpc/proto-loader');

const job = JSON.parse(fs.readFileSync(process.argv[2], 'utf8'));
const bytes = tensor => Buffer.from(tensor.base64, 'base64');
const floats = buffer => new Float32Array(buffer.buffer.slice(buffer.byteOffset, buffer.byteOffset + buffer.length));

function assertClose(actual, expected, what) {
  assert.strictEqual(actual.length, expected.length, what);
  const scale = Math.max(...expected.map(Math.abs));
  for (let i = 0; i < expected.length; i++) {
    assert.ok(Math.abs(actual[i] - expected[i]) <= 1e-4 * scale, `${what}: element ${i} is ${actual[i]}, not ${expected[i]}`);
  }
}

const expected = Array.from(floats(bytes(job.output)));

async function checkGrpc() {
  const definition = loader.loadSync(job.proto, { keepCase: true, longs: Number, defaults: true });
  const { GRPCInferenceService } = grpc.loadPackageDefinition(definition).inference;
  const client = new GRPCInferenceService(job.grpc, grpc.credentials.createInsecure());
  const call = (method, request) => new Promise((resolve, reject) =>
    client[method](request, (error, response) => error ? reject(error) : resolve(response)));
  const fails = (method, request) => call(method, request).then(() => assert.fail(`${method} should fail`), error => error);

  assert.strictEqual((await call('ServerLive', {})).live, true);
  assert.strictEqual((await call('ServerReady', {})).ready, true);
  assert.strictEqual((await call('ModelReady', { name: job.model })).ready, true);
  assert.strictEqual((await call('ServerMetadata', {})).name, 'edgesplit');
  const metadata = await call('ModelMetadata', { name: job.model });
  assert.deepStrictEqual(metadata.versions, ['1']);
  assert.strictEqual(metadata.inputs[0].name, job.input.name);
  assert.strictEqual(metadata.inputs[0].datatype, 'FP32');
  assert.deepStrictEqual((await call('RepositoryIndex', {})).models.map(model => model.name), [job.model]);

  const input = { name: job.input.name, datatype: 'FP32', shape: job.input.shape };
  const raw = await call('ModelInfer', { model_name: job.model, id: 'r1', inputs: [input], raw_input_contents: [bytes(job.input)] });
  assert.strictEqual(raw.id, 'r1');
  assert.strictEqual(raw.model_version, '1');
  assert.deepStrictEqual(raw.outputs[0].shape, job.output.shape);
  assertClose(Array.from(floats(raw.raw_output_contents[0])), expected, 'gRPC, raw contents');

  const typed = await call('ModelInfer', {
    model_name: job.model,
    model_version: '1',
    inputs: [{ ...input, contents: { fp32_contents: Array.from(floats(bytes(job.input))) } }],
    outputs: [{ name: job.output.name }],
  });
  assert.strictEqual(typed.raw_output_contents.length, 0);
  assertClose(typed.outputs[0].contents.fp32_contents, expected, 'gRPC, typed contents');

  const stream = client.ModelStreamInfer();
  const answers = [];
  stream.on('data', answer => answers.push(answer));
  const ended = new Promise((resolve, reject) => { stream.on('end', resolve); stream.on('error', reject); });
  stream.write({ model_name: job.model, id: 'a', inputs: [input], raw_input_contents: [bytes(job.input)] });
  stream.write({ model_name: 'nothing', id: 'b' });
  stream.write({ model_name: job.model, id: 'c', inputs: [input], raw_input_contents: [bytes(job.input)] });
  stream.end();
  await ended;
  assert.deepStrictEqual(answers.map(answer => answer.infer_response.id), ['a', 'b', 'c']);
  assert.match(answers[1].error_message, /nothing/);
  assertClose(Array.from(floats(answers[2].infer_response.raw_output_contents[0])), expected, 'gRPC, stream');

  assert.strictEqual((await fails('ModelMetadata', { name: 'nothing' })).code, grpc.status.NOT_FOUND);
  assert.strictEqual((await fails('ModelInfer', { model_name: job.model })).code, grpc.status.INVALID_ARGUMENT);
  const statistics = (await call('ModelStatistics', { name: job.model })).model_stats[0];
  assert.strictEqual(statistics.inference_count, 4);
  assert.strictEqual(statistics.inference_stats.fail.count, 1);
  assert.ok(statistics.inference_stats.compute_infer.ns > 0);
  client.close();
  console.log('gRPC: ok');
}

async function checkRest() {
  const get = async path => {
    const response = await fetch(job.rest + path);
    return { status: response.status, body: await response.json() };
  };
  const post = (path, body, headers = { 'content-type': 'application/json' }) => fetch(job.rest + path, { method: 'POST', body, headers });

  assert.strictEqual((await get('/v2/health/live')).status, 200);
  assert.strictEqual((await get('/v2/health/ready')).status, 200);
  assert.strictEqual((await get(`/v2/models/${job.model}/ready`)).status, 200);
  assert.strictEqual((await get('/v2')).body.name, 'edgesplit');
  assert.strictEqual((await get(`/v2/models/${job.model}/versions/1`)).body.outputs[0].name, job.output.name);
  assert.strictEqual((await (await post('/v2/repository/index', '{}')).json())[0].name, job.model);

  const input = { name: job.input.name, datatype: 'FP32', shape: job.input.shape };
  const data = Array.from(floats(bytes(job.input)));
  let response = await post(`/v2/models/${job.model}/infer`, JSON.stringify({ id: '7', inputs: [{ ...input, data }] }));
  assert.strictEqual(response.status, 200);
  const json = await response.json();
  assert.strictEqual(json.id, '7');
  assertClose(json.outputs[0].data, expected, 'REST, JSON');

  const head = Buffer.from(JSON.stringify({
    inputs: [{ ...input, parameters: { binary_data_size: bytes(job.input).length } }],
    outputs: [{ name: job.output.name, parameters: { binary_data: true } }],
  }));
  response = await post(`/v2/models/${job.model}/versions/1/infer`, Buffer.concat([head, bytes(job.input)]),
    { 'content-type': 'application/octet-stream', 'inference-header-content-length': String(head.length) });
  assert.strictEqual(response.status, 200);
  const body = Buffer.from(await response.arrayBuffer());
  const length = Number(response.headers.get('inference-header-content-length'));
  const parsed = JSON.parse(body.subarray(0, length));
  assert.strictEqual(parsed.outputs[0].parameters.binary_data_size, body.length - length);
  assertClose(Array.from(floats(body.subarray(length))), expected, 'REST, binary data');

  assert.strictEqual((await get('/v2/models/nothing')).status, 404);
  response = await post(`/v2/models/${job.model}/infer`, '{"inputs": []}');
  assert.strictEqual(response.status, 400);
  assert.match((await response.json()).error, /missing/);
  console.log('REST: ok');
}

checkGrpc().then(checkRest).catch(error => {
  console.error(error);
  process.exit(1);
});
