using System.Collections.Immutable;
using EdgeSplit.Tensors;

namespace EdgeSplit.Onnx.Runtime.Native;

/// <summary>Reads ONNX Runtime's descriptions of types and shapes.</summary>
internal static unsafe class OrtTypeReader
{
    /// <summary>Reads an <c>OrtTypeInfo</c> and releases it.</summary>
    public static OrtSessionValue Take(nint typeInfo, string name)
    {
        try
        {
            int kind;
            OrtNative.Check(((delegate* unmanaged<nint, int*, nint>)OrtNative.Api.GetOnnxTypeFromTypeInfo)(typeInfo, &kind));
            if ((OrtValueKind)kind is not OrtValueKind.Tensor)
                return new OrtSessionValue(new TensorInfo(name, TensorElementType.Undefined, default), (OrtValueKind)kind);
            nint tensor;
            OrtNative.Check(((delegate* unmanaged<nint, nint*, nint>)OrtNative.Api.CastTypeInfoToTensorInfo)(typeInfo, &tensor));
            return new OrtSessionValue(new TensorInfo(name, ElementType(tensor), Dimensions(tensor)), OrtValueKind.Tensor);
        }
        finally
        {
            ((delegate* unmanaged<nint, void>)OrtNative.Api.ReleaseTypeInfo)(typeInfo);
        }
    }

    /// <summary>Reads the type and the shape of a tensor value.</summary>
    public static (TensorElementType ElementType, TensorShape Shape) OfTensor(nint value)
    {
        nint info;
        OrtNative.Check(((delegate* unmanaged<nint, nint*, nint>)OrtNative.Api.GetTensorTypeAndShape)(value, &info));
        try
        {
            int rank = Rank(info);
            Span<long> dimensions = rank <= 16 ? stackalloc long[rank] : new long[rank];
            ReadSizes(info, dimensions);
            return (ElementType(info), new TensorShape(dimensions));
        }
        finally
        {
            ((delegate* unmanaged<nint, void>)OrtNative.Api.ReleaseTensorTypeAndShapeInfo)(info);
        }
    }

    private static TensorElementType ElementType(nint tensorInfo)
    {
        int type;
        OrtNative.Check(((delegate* unmanaged<nint, int*, nint>)OrtNative.Api.GetTensorElementType)(tensorInfo, &type));
        return FromRuntime(type);
    }

    /// <summary>The number that ONNX Runtime has for an element type: ONNX's own but for the last three.</summary>
    public static int ToRuntime(TensorElementType type) => type switch
    {
        TensorElementType.UInt2 => 24,
        TensorElementType.Int2 => 25,
        TensorElementType.Float8E8M0 => 26,
        _ => (int)type,
    };

    private static TensorElementType FromRuntime(int type) => type switch
    {
        24 => TensorElementType.UInt2,
        25 => TensorElementType.Int2,
        26 => TensorElementType.Float8E8M0,
        _ => (TensorElementType)type,
    };

    private static ImmutableArray<Dimension> Dimensions(nint tensorInfo)
    {
        if (((delegate* unmanaged<nint, byte>)OrtNative.Api.TensorTypeAndShape_HasShape)(tensorInfo) == 0)
            return default;
        int rank = Rank(tensorInfo);
        if (rank == 0)
            return [];
        long[] sizes = new long[rank];
        ReadSizes(tensorInfo, sizes);
        byte** symbols = stackalloc byte*[rank];
        OrtNative.Check(((delegate* unmanaged<nint, byte**, nuint, nint>)OrtNative.Api.GetSymbolicDimensions)(tensorInfo, symbols, (nuint)rank));
        var dimensions = ImmutableArray.CreateBuilder<Dimension>(rank);
        for (int i = 0; i < rank; i++)
        {
            string symbol = sizes[i] >= 0 ? "" : OrtNative.Utf8(symbols[i]);
            dimensions.Add(new Dimension(sizes[i] >= 0 ? sizes[i] : null, symbol.Length > 0 ? symbol : null));
        }
        return dimensions.MoveToImmutable();
    }

    private static int Rank(nint tensorInfo)
    {
        nuint rank;
        OrtNative.Check(((delegate* unmanaged<nint, nuint*, nint>)OrtNative.Api.GetDimensionsCount)(tensorInfo, &rank));
        return checked((int)rank);
    }

    private static void ReadSizes(nint tensorInfo, Span<long> sizes)
    {
        fixed (long* first = sizes)
            OrtNative.Check(((delegate* unmanaged<nint, long*, nuint, nint>)OrtNative.Api.GetDimensions)(tensorInfo, first, (nuint)sizes.Length));
    }
}
