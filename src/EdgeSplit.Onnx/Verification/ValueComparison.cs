using System.Numerics;
using System.Runtime.InteropServices;
using Microsoft.ML.OnnxRuntime;
using OrtElementType = Microsoft.ML.OnnxRuntime.Tensors.TensorElementType;

namespace EdgeSplit.Onnx.Verification;

/// <summary>Compares two values of ONNX Runtime: tensors, strings, sequences, maps, empty optionals.</summary>
internal static class ValueComparison
{
    public static OutputDifference Compare(string name, OrtValue? expected, OrtValue? actual)
    {
        var sum = new Totals();
        Compare(expected, actual, sum);
        double relative = sum.LargestAbsolute == 0 ? 0 : sum.LargestAbsolute / sum.LargestMagnitude;
        return new OutputDifference(name, sum.IsBitExact, sum.LargestAbsolute, relative);
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
        Span<byte> expectedBytes = expected.GetTensorMutableRawData();
        Span<byte> actualBytes = actual.GetTensorMutableRawData();
        if (expectedBytes.SequenceEqual(actualBytes))
            return;
        sum.IsBitExact = false;
        switch (expectedInfo.ElementDataType)
        {
            case OrtElementType.Float:
                CompareNumbers<float>(expectedBytes, actualBytes, sum);
                break;
            case OrtElementType.Double:
                CompareNumbers<double>(expectedBytes, actualBytes, sum);
                break;
            case OrtElementType.Float16:
                CompareNumbers<Half>(expectedBytes, actualBytes, sum);
                break;
            case OrtElementType.Int64:
                CompareNumbers<long>(expectedBytes, actualBytes, sum);
                break;
            case OrtElementType.Int32:
                CompareNumbers<int>(expectedBytes, actualBytes, sum);
                break;
            case OrtElementType.Int16:
                CompareNumbers<short>(expectedBytes, actualBytes, sum);
                break;
            case OrtElementType.Int8:
                CompareNumbers<sbyte>(expectedBytes, actualBytes, sum);
                break;
            case OrtElementType.UInt8:
                CompareNumbers<byte>(expectedBytes, actualBytes, sum);
                break;
            default:
                sum.Incomparable();
                break;
        }
    }

    private static void CompareNumbers<T>(Span<byte> expected, Span<byte> actual, Totals sum)
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

        public void Incomparable()
        {
            IsBitExact = false;
            LargestAbsolute = double.PositiveInfinity;
        }
    }
}
