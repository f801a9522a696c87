using System.Numerics;
using System.Runtime.InteropServices;
using EdgeSplit.Tensors;
using Microsoft.ML.OnnxRuntime;

namespace EdgeSplit.Onnx.Verification;

/// <summary>Compares two tensors, or two values of ONNX Runtime: tensors, strings, sequences, maps, empty optionals.</summary>
internal static class ValueComparison
{
    public static OutputDifference Compare(string name, OrtValue? expected, OrtValue? actual)
    {
        var sum = new Totals();
        Compare(expected, actual, sum);
        return sum.ToDifference(name);
    }

    public static OutputDifference Compare(string name, Tensor expected, Tensor actual)
    {
        var sum = new Totals();
        if (expected.ElementType != actual.ElementType || expected.Shape != actual.Shape)
            sum.Incomparable();
        else if (expected.ElementType != TensorElementType.String)
            CompareBytes(expected.ElementType, expected.Bytes.Span, actual.Bytes.Span, sum);
        else if (!expected.Strings.SequenceEqual(actual.Strings))
            sum.Incomparable();
        return sum.ToDifference(name);
    }

    private static void Compare(OrtValue? expected, OrtValue? actual, Totals sum)
    {
        if (expected is null || actual is null)
        {
            if (expected is not null || actual is not null)
                sum.Incomparable();
            return;
        }
        if (expected.OnnxType != actual.OnnxType)
        {
            sum.Incomparable();
            return;
        }
        if (expected.OnnxType == OnnxValueType.ONNX_TYPE_TENSOR)
        {
            CompareTensors(expected, actual, sum);
            return;
        }
        int count = expected.GetValueCount();
        if (actual.GetValueCount() != count)
        {
            sum.Incomparable();
            return;
        }
        for (int i = 0; i < count; i++)
        {
            using OrtValue expectedElement = expected.GetValue(i, OrtAllocator.DefaultInstance);
            using OrtValue actualElement = actual.GetValue(i, OrtAllocator.DefaultInstance);
            Compare(expectedElement, actualElement, sum);
        }
    }

    private static void CompareTensors(OrtValue expected, OrtValue actual, Totals sum)
    {
        OrtTensorTypeAndShapeInfo expectedInfo = expected.GetTensorTypeAndShape();
        OrtTensorTypeAndShapeInfo actualInfo = actual.GetTensorTypeAndShape();
        if (expectedInfo.ElementDataType != actualInfo.ElementDataType || !expectedInfo.Shape.AsSpan().SequenceEqual(actualInfo.Shape))
        {
            sum.Incomparable();
            return;
        }
        if (expectedInfo.ElementCount == 0)
            return;
        if (expectedInfo.IsString)
        {
            if (!expected.GetStringTensorAsArray().AsSpan().SequenceEqual(actual.GetStringTensorAsArray()))
                sum.Incomparable();
            return;
        }
        CompareBytes((TensorElementType)expectedInfo.ElementDataType, expected.GetTensorMutableRawData(), actual.GetTensorMutableRawData(), sum);
    }

    private static void CompareBytes(TensorElementType elementType, ReadOnlySpan<byte> expectedBytes, ReadOnlySpan<byte> actualBytes, Totals sum)
    {
        if (expectedBytes.SequenceEqual(actualBytes))
            return;
        sum.IsBitExact = false;
        switch (elementType)
        {
            case TensorElementType.Float:
                CompareNumbers<float>(expectedBytes, actualBytes, sum);
                break;
            case TensorElementType.Double:
                CompareNumbers<double>(expectedBytes, actualBytes, sum);
                break;
            case TensorElementType.Float16:
                CompareNumbers<Half>(expectedBytes, actualBytes, sum);
                break;
            case TensorElementType.Int64:
                CompareNumbers<long>(expectedBytes, actualBytes, sum);
                break;
            case TensorElementType.Int32:
                CompareNumbers<int>(expectedBytes, actualBytes, sum);
                break;
            case TensorElementType.Int16:
                CompareNumbers<short>(expectedBytes, actualBytes, sum);
                break;
            case TensorElementType.Int8:
                CompareNumbers<sbyte>(expectedBytes, actualBytes, sum);
                break;
            case TensorElementType.UInt8:
                CompareNumbers<byte>(expectedBytes, actualBytes, sum);
                break;
            default:
                sum.Incomparable();
                break;
        }
    }

    private static void CompareNumbers<T>(ReadOnlySpan<byte> expected, ReadOnlySpan<byte> actual, Totals sum)
        where T : unmanaged, INumberBase<T>
    {
        ReadOnlySpan<T> expectedNumbers = MemoryMarshal.Cast<byte, T>(expected);
        ReadOnlySpan<T> actualNumbers = MemoryMarshal.Cast<byte, T>(actual);
        for (int i = 0; i < expectedNumbers.Length; i++)
        {
            double first = double.CreateSaturating(expectedNumbers[i]);
            double second = double.CreateSaturating(actualNumbers[i]);
            if (double.IsFinite(first))
                sum.LargestMagnitude = Math.Max(sum.LargestMagnitude, Math.Abs(first));
            // Two NaN are equal here whatever their bits; a NaN against a number, or infinity against one, is not.
            if (first.Equals(second))
                continue;
            double difference = Math.Abs(first - second);
            sum.LargestAbsolute = Math.Max(sum.LargestAbsolute, double.IsNaN(difference) ? double.PositiveInfinity : difference);
        }
    }

    private sealed class Totals
    {
        public bool IsBitExact { get; set; } = true;

        public double LargestAbsolute { get; set; }

        public double LargestMagnitude { get; set; }

        public OutputDifference ToDifference(string name) =>
            new(name, IsBitExact, LargestAbsolute, LargestAbsolute == 0 ? 0 : LargestAbsolute / LargestMagnitude);

        public void Incomparable()
        {
            IsBitExact = false;
            LargestAbsolute = double.PositiveInfinity;
        }
    }
}
