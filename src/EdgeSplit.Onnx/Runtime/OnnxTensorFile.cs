using EdgeSplit.Onnx.Runtime.Files;
using EdgeSplit.Tensors;

namespace EdgeSplit.Onnx.Runtime;

/// <summary>
/// Reads and writes tensors as files: ONNX's <c>TensorProto</c> (<c>.pb</c>, all element types) and NumPy's <c>.npy</c>
/// (formats 1 to 3; booleans, integers, floats, complex numbers and strings).
/// </summary>
/// <remarks>Files are not trusted: sizes are checked before memory is taken, and nothing outside the file is read.</remarks>
public static class OnnxTensorFile
{
    /// <summary>Reads a tensor; the file's ending says the format.</summary>
    /// <param name="path">A file that ends in <c>.pb</c> or <c>.npy</c>.</param>
    /// <returns>The tensor, which is the caller's to dispose of.</returns>
    /// <exception cref="EdgeSplitException"><see cref="EdgeSplitError.NotFound"/>: there is no such file;
    /// <see cref="EdgeSplitError.InvalidInput"/>: it is damaged, of another format, or holds no tensor.</exception>
    public static Tensor Read(string path) => Read(path, out _);

    /// <summary>Reads a tensor and the name that the file gives it.</summary>
    /// <param name="path">A file that ends in <c>.pb</c> or <c>.npy</c>.</param>
    /// <param name="name">The tensor's name; empty where the file has none, as a <c>.npy</c> never has.</param>
    /// <inheritdoc cref="Read(string)" path="/returns"/>
    /// <inheritdoc cref="Read(string)" path="/exception"/>
    public static Tensor Read(string path, out string name)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        bool isNumpy = IsNumpy(path);
        byte[] content;
        try
        {
            content = File.ReadAllBytes(path);
        }
        catch (Exception exception) when (exception is FileNotFoundException or DirectoryNotFoundException)
        {
            throw new EdgeSplitException(EdgeSplitError.NotFound, $"There is no tensor file '{path}'.", exception);
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            throw new EdgeSplitException(EdgeSplitError.InvalidInput, $"The tensor file '{path}' cannot be read: {exception.Message}", exception);
        }
        try
        {
            name = "";
            return isNumpy ? NumpyFormat.Read(content) : TensorProtoFormat.Read(content, out name);
        }
        catch (FormatException exception)
        {
            throw new EdgeSplitException(EdgeSplitError.InvalidInput, $"The tensor file '{path}' cannot be used: {exception.Message}", exception);
        }
    }

    /// <summary>Writes a tensor; the file's ending says the format. A file that is there is replaced.</summary>
    /// <param name="path">A file that ends in <c>.pb</c> or <c>.npy</c>.</param>
    /// <param name="tensor">The tensor.</param>
    /// <param name="name">The name to write into a <c>.pb</c>.</param>
    /// <exception cref="EdgeSplitException"><see cref="EdgeSplitError.InvalidArgument"/>: the file cannot be made there, or NumPy has no such element type.</exception>
    public static void Write(string path, Tensor tensor, string name = "")
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        ArgumentNullException.ThrowIfNull(tensor);
        bool isNumpy = IsNumpy(path);
        try
        {
            using FileStream file = File.Create(path);
            if (isNumpy)
                NumpyFormat.Write(file, tensor);
            else
                TensorProtoFormat.Write(file, tensor, name);
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException or NotSupportedException)
        {
            throw new EdgeSplitException(EdgeSplitError.InvalidArgument, $"The tensor {tensor} cannot be written to '{path}': {exception.Message}", exception);
        }
    }

    private static bool IsNumpy(string path) => Path.GetExtension(path).ToLowerInvariant() switch
    {
        ".npy" => true,
        ".pb" => false,
        _ => throw new EdgeSplitException(EdgeSplitError.InvalidInput, $"'{path}' is no tensor file: its name ends neither in .pb (ONNX TensorProto) nor in .npy (NumPy)."),
    };
}
